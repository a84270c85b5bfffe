import { useEffect, useMemo, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import type { Job, TemplateSchema } from "../api/types";
import { useLoaded } from "../api/use";
import { isFinal, moment, nameOf, seconds } from "../format";
import { Facts } from "../recording/details";
import { Exports } from "../recording/exports";
import { useJumps } from "../recording/jumps";
import { usePlayback } from "../recording/playback";
import { Player } from "../recording/player";
import { rowsOf } from "../recording/rows";
import { Summary } from "../recording/summary";
import { Transcript } from "../recording/transcript";
import { Warnings } from "../recording/warnings";
import { Speakers } from "../speakers/list";
import { useStore } from "../store";
import { ReaderHeader } from "../ui/header";
import { Empty, Loading, ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { shareOf, tokenIn } from "./token";

const FILES = ["pdf", "txt", "srt"] as const;
const POLL_MS = 5000;
const ENDED = "ended";

/** A recording for who has a link to it, whose token is in the fragment of the address. */
export function SharedPage() {
  const text = useStore(words);
  const token = useToken();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {text.skip}
      </button>
      <ReaderHeader />
      <main id="content" tabIndex={-1}>
        <Opened key={token} token={token} />
      </main>
    </>
  );
}

/** Goes to the content; a link to it would take the fragment's place, which has the token. */
function skip(): void {
  document.getElementById("content")?.focus();
}

/** The token of the address, in which somebody may put another link. */
function useToken(): string {
  const [token, setToken] = useState(tokenIn(location.hash));
  useEffect(() => {
    const changed = () => setToken(tokenIn(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return token;
}

function Opened({ token }: { token: string }) {
  const text = useStore(words).shared;
  const { value, problem, again } = useLoaded((signal) => opened(token, signal), [token], {
    everyMs: POLL_MS,
    goesOn: (each) => each !== ENDED && !isFinal(each.state),
  });
  useEffect(() => {
    document.title = `${value && value !== ENDED ? nameOf(value) : text.title} · maie`;
  }, [value, text]);
  if (value === ENDED) return <Ended />;
  if (value) return <Reading job={value} share={shareOf(token)} />;
  if (!problem) return <Loading />;
  return (
    <div class="page">
      <h1>{text.title}</h1>
      <ProblemNotice problem={problem} again={again} />
    </div>
  );
}

/** What a link shows; one that does not work is not asked for again. */
async function opened(token: string, signal: AbortSignal): Promise<Job | typeof ENDED> {
  try {
    return await api.openShare(token, signal);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return ENDED;
    throw error;
  }
}

function Ended() {
  const text = useStore(words).shared;
  return (
    <div class="page">
      <h1 class="unseen">{text.title}</h1>
      <Empty icon="share" title={text.ended} hint={text.endedHint} />
    </div>
  );
}

function Reading({ job, share }: { job: Job; share: string }) {
  const text = useStore(words);
  const shown = useStore(language);
  const playback = usePlayback();
  const jumps = useJumps(playback);
  const { results, shared } = job;
  const rows = useMemo(() => (results ? rowsOf(results) : []), [results]);
  const files = api.filesOfShare(share);
  const schema = useMemo(() => schemaOf(shared?.template?.schema_json), [shared]);
  const speakers = results?.speakers ?? [];
  const waits = isFinal(job.state) ? text.recording.noTranscript : text.recording.waits;
  return (
    <div class="page recording">
      <header>
        <h1>{nameOf(job)}</h1>
        <Facts job={job} />
        {shared && <p class="soft">{text.shared.until(moment(shared.expire_time, shown))}</p>}
      </header>
      {shared?.audio && (
        <Player
          files={files}
          playback={playback}
          length={seconds(job.metrics?.input_duration)}
          rows={rows}
          cited={jumps.cited}
        />
      )}
      <Warnings of={results?.warnings ?? []} />
      <div class={results?.summary ? "reading" : "reading alone"}>
        <section class="card" aria-labelledby="transcript-title">
          <h2 id="transcript-title">{text.recording.transcript}</h2>
          <Speakers speakers={speakers} />
          {rows.length > 0 ? (
            <Transcript
              rows={rows}
              playback={playback}
              lit={jumps.lit}
              goTo={jumps.count}
              speakers={speakers}
            />
          ) : (
            <p class="soft">{waits}</p>
          )}
        </section>
        {results?.summary && (
          <section class="card" aria-labelledby="summary-title">
            <h2 id="summary-title">{text.recording.summary}</h2>
            <Summary
              job={job.job_id}
              summary={results.summary}
              known={schema}
              jump={jumps.jump}
              chosen={jumps.chosen}
            />
          </section>
        )}
      </div>
      {results && isFinal(job.state) && (
        <section class="card" aria-labelledby="exports-title">
          <h2 id="exports-title">{text.recording.exports}</h2>
          <Exports job={job} files={files} only={FILES} />
        </section>
      )}
    </div>
  );
}

/** The titles of a summary's parts; none where the gateway gives none. */
function schemaOf(text: string | undefined): TemplateSchema {
  return text ? (JSON.parse(text) as TemplateSchema) : {};
}
