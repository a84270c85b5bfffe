import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Citation, Job } from "../api/types";
import { useLoaded } from "../api/use";
import { isFinal, nameOf, seconds, startOf } from "../format";
import { Link, place } from "../router";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { Loading, ProblemNotice, StateBadge } from "../ui/notices";
import { Stages } from "../upload/rows";
import { words } from "../words";
import { Facts, Versions, Waterfall } from "./details";
import { Exports } from "./exports";
import { usePlayback } from "./playback";
import { Player } from "./player";
import { rowsOf } from "./rows";
import { Summary } from "./summary";
import { Transcript } from "./transcript";

const POLL_MS = 1500;

export function RecordingPage({ id }: { id: string }) {
  const {
    value: job,
    problem,
    again,
  } = useLoaded((signal) => api.job(id, signal), [id], {
    everyMs: POLL_MS,
    goesOn: (each) => !isFinal(each.state),
  });
  if (!job)
    return (
      <div class="page">{problem ? <ProblemNotice problem={problem} again={again} /> : <Loading />}</div>
    );
  return (
    <div class="page recording">
      {problem && <ProblemNotice problem={problem} again={again} />}
      <Head job={job} />
      <Failures job={job} />
      <Content job={job} />
      <Details job={job} />
    </div>
  );
}

function Head({ job }: { job: Job }) {
  const text = useStore(words).recording;
  const name = nameOf(job);
  useEffect(() => {
    document.title = `${name} · maie`;
  }, [name]);
  return (
    <header>
      <Link to="/" class="back">
        <Icon name="back" />
        {text.back}
      </Link>
      <div class="title">
        <h1>{name}</h1>
        <StateBadge state={job.state} />
      </div>
      <Facts job={job} />
      {!isFinal(job.state) && <Stages progress={job.progress} name={name} />}
    </header>
  );
}

function Failures({ job }: { job: Job }) {
  const text = useStore(words).recording;
  if (job.failures.length === 0) return null;
  return (
    <section class="notice bad" aria-label={text.failures}>
      <Icon name="warning" />
      <ul>
        {job.failures.map((failure) => (
          <li key={failure.unit + failure.reason}>{failure.message}</li>
        ))}
      </ul>
    </section>
  );
}

function Content({ job }: { job: Job }) {
  const text = useStore(words).recording;
  const playback = usePlayback();
  const [chosen, setChosen] = useState<Citation | null>(null);
  const [jumps, setJumps] = useState(0);
  const { results } = job;
  const rows = useMemo(() => (results ? rowsOf(results) : []), [results]);
  const lit = useMemo(() => new Set(chosen?.segment_ids), [chosen]);
  const warnings = results?.warnings.filter((warning) => !warning.range) ?? [];
  const linked = useStore(place).query.get("t");
  useEffect(() => {
    if (linked && rows.length) jumpTo(Number.parseFloat(linked) || 0);
  }, [linked, rows.length > 0]);

  function jumpTo(time: number): void {
    playback.seek(time);
    setJumps((count) => count + 1);
  }
  function jump(citation: Citation): void {
    setChosen(citation);
    jumpTo(startOf(citation.ranges[0]));
  }

  const wantsSummary = job.config?.features.includes("summary") ?? false;
  return (
    <>
      <Player
        id={job.job_id}
        playback={playback}
        duration={Math.max(seconds(job.metrics?.input_duration), rows.at(-1)?.end ?? 0)}
        notes={rows.filter((row) => row.kind !== "segment")}
      />
      {warnings.length > 0 && (
        <section class="notice" aria-label={text.warnings}>
          <Icon name="warning" />
          <ul>
            {warnings.map((warning) => (
              <li key={warning.reason}>{warning.message}</li>
            ))}
          </ul>
        </section>
      )}
      <div class="reading">
        <section class="card" aria-labelledby="transcript-title">
          <h2 id="transcript-title">{text.transcript}</h2>
          {rows.length > 0 ? (
            <Transcript rows={rows} playback={playback} lit={lit} goTo={jumps} />
          ) : (
            <p class="soft">
              {job.state === "COMPLETE" ? text.noSpeech : missing(job, text.noTranscript, text.waits)}
            </p>
          )}
          {results?.segments.some((segment) => segment.confidence !== undefined) && (
            <p class="soft legend">{text.legend}</p>
          )}
        </section>
        <section class="card" aria-labelledby="summary-title">
          <h2 id="summary-title">{text.summary}</h2>
          {results?.summary ? (
            <Summary summary={results.summary} jump={jump} chosen={chosen?.pointer ?? ""} />
          ) : (
            <p class="soft">{wantsSummary ? missing(job, "", text.waits) : text.noSummary}</p>
          )}
        </section>
      </div>
      <p class="soft keys">{text.keys}</p>
    </>
  );
}

function missing(job: Job, ended: string, running: string): string {
  return isFinal(job.state) ? ended : running;
}

function Details({ job }: { job: Job }) {
  const text = useStore(words).recording;
  return (
    <>
      {job.results && isFinal(job.state) && (
        <section class="card" aria-labelledby="exports-title">
          <h2 id="exports-title">{text.exports}</h2>
          <Exports job={job} />
        </section>
      )}
      <section class="card" aria-labelledby="timeline-title">
        <h2 id="timeline-title">{text.timeline}</h2>
        <Waterfall job={job} />
      </section>
      {job.versions && (
        <section class="card" aria-labelledby="versions-title">
          <h2 id="versions-title">{text.versions}</h2>
          <Versions job={job} />
        </section>
      )}
    </>
  );
}
