import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Job, Segment } from "../api/types";
import { OtherRuns } from "../compare/other_runs";
import { isFinal, nameOf, seconds } from "../format";
import { Link, place } from "../router";
import { Speakers } from "../speakers/list";
import { useSpeakers } from "../speakers/names";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { Loading, ProblemNotice, StateBadge } from "../ui/notices";
import { Stages } from "../upload/rows";
import { VoicePanel } from "../voices/panel";
import { words } from "../words";
import { Facts, Versions, Waterfall } from "./details";
import { OtherSummaries, SummariseAgain } from "./editing/again";
import { EditBar } from "./editing/bar";
import type { DraftLine } from "./editing/draft";
import { Editor } from "./editing/editor";
import { Revisions } from "./editing/revisions";
import { Exports } from "./exports";
import { ReadingOf, SoundOf } from "./findings";
import { useJob } from "./job";
import { useJumps } from "./jumps";
import { usePlayback } from "./playback";
import { Player } from "./player";
import { rowsOf } from "./rows";
import { ShareButton } from "./share";
import { Summary } from "./summary";
import { Transcript } from "./transcript";
import { Warnings } from "./warnings";

export function RecordingPage({ id }: { id: string }) {
  const revision = useStore(place).query.get("revision");
  const { value: job, problem, again } = useJob(id, revision);
  if (!job)
    return (
      <div class="page">{problem ? <ProblemNotice problem={problem} again={again} /> : <Loading />}</div>
    );
  return (
    <div class="page recording">
      {problem && <ProblemNotice problem={problem} again={again} />}
      <Head job={job} />
      <Failures job={job} />
      <Content key={id} job={job} reload={again} />
      <Details job={job} reload={again} />
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
        <ShareButton id={job.job_id} />
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

type PartProps = { job: Job; reload: () => void };

function Content({ job, reload }: PartProps) {
  const text = useStore(words).recording;
  const editingText = useStore(words).editing;
  const playback = usePlayback();
  const jumps = useJumps(playback);
  const { results } = job;
  const editor = useEditor(job);
  const { speakers, ...naming } = useSpeakers(job);
  const { on, history } = useStore(editor.state);
  const editing = on && isNewest(job);
  const rows = useMemo(() => {
    if (!results) return [];
    return rowsOf(editing ? { ...results, segments: history.present.map(segmentOf) } : results);
  }, [results, editing, history.present]);
  const linked = useStore(place).query.get("t");
  useEffect(() => {
    if (linked && rows.length) jumps.jumpTo(Number.parseFloat(linked) || 0);
  }, [linked, rows.length > 0]);

  const wantsSummary = job.config?.features.includes("summary") ?? false;
  return (
    <>
      <Player
        files={api.filesOf(job.job_id)}
        playback={playback}
        length={seconds(job.metrics?.input_duration)}
        rows={rows}
        cited={jumps.cited}
      />
      <Warnings of={results?.warnings ?? []} withPlaces={!asksText(job)} />
      <ReadingOf job={job} playback={playback} />
      {asksText(job) && (
        <div class="reading">
          <section class="card" aria-labelledby="transcript-title">
            <div class="card-head">
              <h2 id="transcript-title">{text.transcript}</h2>
              {canEdit(job) && <EditBar editor={editor} reload={reload} />}
            </div>
            {!isNewest(job) && <Older job={job} />}
            <Speakers speakers={speakers} confidence={results?.speaker_count_confidence} {...naming} />
            <VoicePanel job={job} speakers={speakers} rename={naming.rename} />
            {rows.length > 0 ? (
              <Transcript
                rows={rows}
                playback={playback}
                lit={jumps.lit}
                goTo={jumps.count}
                speakers={speakers}
                {...(editing ? { editor } : {})}
              />
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
            {results?.digest && (
              // biome-ignore lint/a11y/useMediaCaption: the summary below is what it says
              <audio
                class="digest"
                controls
                preload="none"
                src={`${api.filesOf(job.job_id)}/digest`}
                aria-label={text.digest}
              />
            )}
            {results?.summary ? (
              <Summary job={job.job_id} summary={results.summary} jump={jumps.jump} chosen={jumps.chosen} />
            ) : (
              <p class="soft">{wantsSummary ? missing(job, "", text.waits) : text.noSummary}</p>
            )}
            <OtherSummaries job={job} />
            {isFinal(job.state) && rows.length > 0 && <SummariseAgain job={job} />}
          </section>
        </div>
      )}
      <SoundOf job={job} playback={playback} speakers={speakers} />
      <p class="soft keys">{editing ? editingText.keys : text.keys}</p>
    </>
  );
}

/** The editor of a recording's transcript, which corrects its newest revision. */
function useEditor(job: Job): Editor {
  const editor = useMemo(() => new Editor(job.job_id), [job.job_id]);
  const segments = canEdit(job) ? job.results?.segments : undefined;
  useEffect(() => {
    if (segments) editor.load(job.newest_revision, segments);
  }, [editor, segments]);
  return editor;
}

function isNewest(job: Job): boolean {
  return !job.results || job.results.revision === job.newest_revision;
}

function canEdit(job: Job): boolean {
  return isFinal(job.state) && isNewest(job) && (job.results?.segments.length ?? 0) > 0;
}

function segmentOf({ key, segment }: DraftLine): Segment {
  return segment.segment_id === key ? segment : { ...segment, segment_id: key };
}

function Older({ job }: { job: Job }) {
  const text = useStore(words).editing;
  return (
    <div class="notice" role="status">
      <p>{text.viewing(job.results?.revision ?? 0)}</p>
      <Link to={`/recordings/${job.job_id}`}>{text.newest}</Link>
    </div>
  );
}

/** Whether a job was asked for a text; one may be for the sound, or for a reading alone. */
function asksText({ config, results }: Job): boolean {
  const asked = config?.features.some((each) => each !== "quality" && each !== "reading") ?? true;
  return asked || (results?.segments.length ?? 0) > 0;
}

function missing(job: Job, ended: string, running: string): string {
  return isFinal(job.state) ? ended : running;
}

function Details({ job, reload }: PartProps) {
  const { recording: text, editing } = useStore(words);
  return (
    <>
      {job.results && isFinal(job.state) && (
        <section class="card" aria-labelledby="exports-title">
          <h2 id="exports-title">{text.exports}</h2>
          <Exports job={job} files={api.filesOf(job.job_id)} />
        </section>
      )}
      {job.results && (job.newest_revision > 0 || !isNewest(job)) && (
        <section class="card" aria-labelledby="history-title">
          <h2 id="history-title">{editing.history}</h2>
          <Revisions job={job} shown={job.results.revision} reload={reload} />
        </section>
      )}
      <OtherRuns job={job} />
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
