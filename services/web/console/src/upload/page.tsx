import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../api/types";
import { useLoaded } from "../api/use";
import { RecorderPanel } from "../recorder/panel";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { filesIn, isRecording } from "./files";
import { followed, followedNow, followRunning, isEnded } from "./followed";
import { findInterrupted, interrupted } from "./interrupted";
import { missingIn, Options } from "./options";
import { add, addKept, type Choice, uploads } from "./queue";
import { InterruptedRow, JobRow, UploadRow } from "./rows";

const POLL_MS = 1000;
const FIRST_CHOICE: Choice = { features: ["clean_transcript", "summary"], template: "", language: "" };

export function UploadPage() {
  const text = useStore(words).upload;
  const sending = useStore(uploads);
  const left = useStore(interrupted);
  const jobs = useStore(followed);
  const [choice, setChoice] = useState(FIRST_CHOICE);
  const [notice, setNotice] = useState("");
  const running = useLoaded(followRunning, []);
  const before = useLoaded(findInterrupted, []);
  const { known, ...following } = useFollowed(jobs);
  const missing = missingIn(choice, useStore(words));

  function take(files: readonly File[]): void {
    if (missing) return;
    const recordings = files.filter(isRecording);
    const ignored = files.length - recordings.length;
    setNotice(ignored ? text.ignored(ignored) : "");
    add(recordings, choice);
  }
  usePaste(take);

  return (
    <div class="page upload">
      <h1>{text.title}</h1>
      <div class="columns">
        <div class="wide">
          <DropZone take={take} missing={missing} />
          <RecorderPanel send={(kept, file) => addKept(kept.id, file, choice)} disabled={missing !== ""} />
          {notice && (
            <p class="notice" role="status">
              {notice}
            </p>
          )}
          <section aria-labelledby="list-title">
            <h2 id="list-title">{text.list}</h2>
            {running.problem && <ProblemNotice problem={running.problem} again={running.again} />}
            {following.problem && <ProblemNotice problem={following.problem} again={following.again} />}
            {before.problem && <ProblemNotice problem={before.problem} again={before.again} />}
            {sending.length + left.length + jobs.length === 0 ? (
              <p class="soft">{text.empty}</p>
            ) : (
              <ul class="rows">
                {sending.map((each) => (
                  <UploadRow key={each.id} upload={each} />
                ))}
                {left.map((each) => (
                  <InterruptedRow key={each.id} upload={each} />
                ))}
                {jobs.map((id) => (
                  <JobRow key={id} id={id} job={known.get(id)} />
                ))}
              </ul>
            )}
          </section>
        </div>
        <Options choice={choice} choose={setChoice} />
      </div>
    </div>
  );
}

const NONE: ReadonlyMap<string, Job> = new Map();

/** What is known of the jobs that are followed, asked for again while some run. */
function useFollowed(ids: readonly string[]) {
  const known = useRef(NONE);
  const { problem, again } = useLoaded(
    async (signal) => {
      known.current = await followedNow(known.current, signal);
      return known.current;
    },
    [ids],
    { everyMs: POLL_MS, goesOn: (jobs) => followed.value.some((id) => !isEnded(jobs.get(id))) },
  );
  return { known: known.current, problem, again };
}

function DropZone({ take, missing }: { take: (files: readonly File[]) => void; missing: string }) {
  const text = useStore(words).upload;
  const [over, setOver] = useState(false);
  async function dropped(event: DragEvent): Promise<void> {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer) take(await filesIn(event.dataTransfer));
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way; the inputs serve the keyboard
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <Icon name="upload" />
      <p class="lead">{text.drop}</p>
      <p class="soft">{text.or}</p>
      <div class="buttons">
        <FileChoice label={text.files} take={take} disabled={missing !== ""} />
        <FileChoice label={text.folder} take={take} disabled={missing !== ""} folder />
      </div>
      {missing && (
        <p class="hint bad" role="alert">
          {missing}
        </p>
      )}
    </div>
  );
}

type FileChoiceProps = {
  label: string;
  take: (files: readonly File[]) => void;
  disabled: boolean;
  folder?: boolean;
};

function FileChoice({ label, take, disabled, folder = false }: FileChoiceProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (folder && input.current) input.current.webkitdirectory = true;
  }, [folder]);
  return (
    <label class={`button ${folder ? "" : "primary"}`}>
      {label}
      <input
        ref={input}
        class="unseen"
        type="file"
        multiple
        disabled={disabled}
        accept={folder ? undefined : "audio/*,video/*"}
        onChange={(event) => {
          take([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

function usePaste(take: (files: readonly File[]) => void): void {
  useEffect(() => {
    async function pasted(event: ClipboardEvent): Promise<void> {
      const transfer = event.clipboardData;
      if (transfer?.types.includes("Files")) take(await filesIn(transfer));
    }
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  });
}
