import { useEffect, useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";
import { whenSeen } from "../api/seen";
import { isFinal } from "../format";
import { go, Link, place } from "../router";
import { useStore } from "../store";
import { Empty, Loading, ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { BulkActions } from "./bulk";
import { Filters } from "./filters";
import { useKeys } from "./keys";
import { type Entries, type Entry, loadEntries } from "./load";
import { addressOf, EVERYTHING, isFiltered, type View, viewIn } from "./query";
import { Table } from "./table";

const TYPING_MS = 200;
const POLL_MS = 3000;

export function LibraryPage() {
  const text = useStore(words).library;
  const view = viewIn(useStore(place).query);
  const { entries, next, problem, busy, more, reload } = useEntries(view);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [removing, setRemoving] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const shown = entries?.filter((entry) => selected.has(entry.job.job_id)) ?? [];

  function show(changed: Partial<View>): void {
    go(addressOf({ ...view, ...changed }), "replace");
    setSelected(new Set());
  }
  function toggle(ids: readonly string[], on: boolean): void {
    const changed = new Set(selected);
    for (const id of ids) on ? changed.add(id) : changed.delete(id);
    setSelected(changed);
  }
  useKeys({
    search: () => search.current?.focus(),
    toggle: (id) => toggle([id], !selected.has(id)),
    remove: () => setRemoving(selected.size > 0),
    clear: () => {
      setRemoving(false);
      setSelected(new Set());
    },
  });

  const nothing = entries?.length === 0 && !next;
  const isEmpty = nothing && !view.words && !isFiltered(view);
  return (
    <div class="page library">
      <div class="title">
        <h1>{text.title}</h1>
        <Link class="button primary" to="/upload">
          {words.value.nav.upload}
        </Link>
      </div>
      <Filters view={view} show={show} input={search} />
      {problem && <ProblemNotice problem={problem} again={reload} />}
      {shown.length > 0 && (
        <BulkActions
          jobs={shown.map((entry) => entry.job)}
          removing={removing}
          setRemoving={setRemoving}
          done={() => {
            setSelected(new Set());
            reload();
          }}
        />
      )}
      {!entries && !problem && <Loading />}
      {isEmpty && (
        <Empty icon="upload" title={text.empty} hint={text.emptyHint}>
          <Link class="button primary" to="/upload">
            {words.value.nav.upload}
          </Link>
        </Empty>
      )}
      {nothing && !isEmpty && (
        <Empty icon="search" title={text.nothing} hint={text.nothingHint}>
          <button type="button" onClick={() => show(EVERYTHING)}>
            {text.clear}
          </button>
        </Empty>
      )}
      {entries && entries.length > 0 && (
        <>
          <Table entries={entries} typed={view.words} selected={selected} toggle={toggle} />
          <p class="soft keys">{text.keys}</p>
        </>
      )}
      {next && (
        <button type="button" class="more" disabled={busy} onClick={more}>
          {text.more}
        </button>
      )}
    </div>
  );
}

interface LoadedEntries {
  entries: Entry[] | null;
  next: string;
  problem: Problem | null;
  busy: boolean;
  more: () => void;
  reload: () => void;
}

/** The entries of a view; those that run are read again until they end. */
function useEntries(view: View): LoadedEntries {
  const [page, setPage] = useState<Entries | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const controller = useRef(new AbortController());
  const key = addressOf(view);
  const typed = useRef(view.words);

  useEffect(() => {
    const mine = new AbortController();
    controller.current = mine;
    const wait = typed.current === view.words ? 0 : TYPING_MS;
    typed.current = view.words;
    const timer = setTimeout(() => void load(view, "", mine.signal), wait);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [key, round]);

  const onlyFirst = (page?.entries.length ?? 0) <= 50;
  const runs = page?.entries.some((entry) => !isFinal(entry.job.state)) ?? false;
  useEffect(() => {
    if (!runs || !onlyFirst) return;
    let stop = () => {};
    const timer = setTimeout(() => {
      stop = whenSeen(() => void load(view, "", controller.current.signal));
    }, POLL_MS);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [page, problem]);

  async function load(wanted: View, next: string, signal: AbortSignal): Promise<void> {
    setBusy(true);
    try {
      const loaded = await loadEntries(wanted, next, signal);
      if (signal.aborted) return;
      setPage((before) =>
        next ? { entries: [...(before?.entries ?? []), ...loaded.entries], next: loaded.next } : loaded,
      );
      setProblem(null);
    } catch (error) {
      if (!signal.aborted) setProblem(problemOf(error));
    } finally {
      if (!signal.aborted) setBusy(false);
    }
  }

  return {
    entries: page?.entries ?? null,
    next: page?.next ?? "",
    problem,
    busy,
    more: () => void load(view, page?.next ?? "", controller.current.signal),
    reload: () => setRound((count) => count + 1),
  };
}
