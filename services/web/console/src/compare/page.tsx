import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Job } from "../api/types";
import { useLoaded } from "../api/use";
import { moment, nameOf, seconds } from "../format";
import { useJumps } from "../recording/jumps";
import { usePlayback } from "../recording/playback";
import { Player } from "../recording/player";
import { rowsOf } from "../recording/rows";
import { Summary } from "../recording/summary";
import { Link, place } from "../router";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { Loading, ProblemNotice, StateBadge } from "../ui/notices";
import { language, words } from "../words";
import { addressOfComparison } from "./address";
import "./compare.css";
import { compared } from "./differences";
import { wordsOf } from "./run_words";
import { Figures, Settings, Times } from "./tables";
import { ComparedText } from "./text";

export type Side = "left" | "right";
export type Runs = Record<Side, Job>;
export const SIDES: readonly Side[] = ["left", "right"];

/** Two runs beside each other, which the page's address names. */
export function Comparison() {
  const text = useStore(words).compare;
  const { query } = useStore(place);
  const [left, right] = [query.get("left") ?? "", query.get("right") ?? ""];
  const { value, problem, again } = useLoaded(
    async (signal) => {
      const [mine, theirs] = await Promise.all([api.job(left, signal), api.job(right, signal)]);
      return { left: mine, right: theirs };
    },
    [left, right],
  );
  return (
    <div class="page comparison">
      <header>
        <Link to="/" class="back">
          <Icon name="back" />
          {text.back}
        </Link>
        <h1>{text.title}</h1>
        {value && <Names runs={value} />}
      </header>
      {problem ? <ProblemNotice problem={problem} again={again} /> : !value && <Loading />}
      {value && <Compared key={`${left} ${right}`} runs={value} />}
    </div>
  );
}

function Names({ runs }: { runs: Runs }) {
  const text = useStore(words).compare;
  const shown = useStore(language);
  return (
    <div class="sides">
      {SIDES.map((side) => (
        <div key={side} class={`run ${side}`}>
          <span class="side">{text.sides[side]}</span>
          <Link to={`/recordings/${runs[side].job_id}`}>{nameOf(runs[side])}</Link>
          <StateBadge state={runs[side].state} />
          <span class="soft">{moment(runs[side].create_time, shown)}</span>
        </div>
      ))}
      <Link class="button swap" to={addressOfComparison(runs.right.job_id, runs.left.job_id)}>
        {text.swap}
      </Link>
    </div>
  );
}

function Compared({ runs }: { runs: Runs }) {
  const text = useStore(words).compare;
  const playback = usePlayback();
  const jumps = useJumps(playback);
  const [heard, setHeard] = useState<Side>("left");
  const { left, right } = runs;
  const isSame = left.recording_sha256 !== "" && left.recording_sha256 === right.recording_sha256;
  const rows = useMemo(() => compared(wordsOf(left.results), wordsOf(right.results)), [left, right]);
  const job = runs[heard];
  const lines = useMemo(() => (job.results ? rowsOf(job.results) : []), [job]);
  useEffect(() => {
    if (isSame) setHeard("left");
  }, [isSame]);
  const hear = (side: Side, time: number) => {
    if (!isSame) setHeard(side);
    playback.seek(time);
  };
  return (
    <>
      {!isSame && (
        <p class="notice" role="note">
          {text.unlike(text.sides[heard])}
        </p>
      )}
      <Player
        key={job.job_id}
        files={api.filesOf(job.job_id)}
        playback={playback}
        length={seconds(job.metrics?.input_duration)}
        rows={lines}
        cited={jumps.cited}
      />
      <section class="card" aria-labelledby="text-title">
        <h2 id="text-title">{text.transcripts}</h2>
        {rows.length > 0 ? (
          <ComparedText
            rows={rows}
            playback={playback}
            goTo={jumps.count}
            hear={hear}
            heard={heard}
            speakers={{ left: left.results?.speakers ?? [], right: right.results?.speakers ?? [] }}
          />
        ) : (
          <p class="soft">{text.noText}</p>
        )}
      </section>
      <Settings runs={runs} />
      <Figures runs={runs} />
      <Times runs={runs} />
      {(left.results?.summary || right.results?.summary) && (
        <section class="card" aria-labelledby="summaries-title">
          <h2 id="summaries-title">{text.summaries}</h2>
          <div class="columns">
            {SIDES.map((side) => (
              <section key={side} aria-label={text.sides[side]}>
                <span class="side">{text.sides[side]}</span>
                <OneSummary
                  job={runs[side]}
                  jump={(citation) => {
                    if (!isSame) setHeard(side);
                    jumps.jump(citation);
                  }}
                />
              </section>
            ))}
          </div>
        </section>
      )}
    </>
  );
}

type OneSummaryProps = { job: Job; jump: Parameters<typeof Summary>[0]["jump"] };

function OneSummary({ job, jump }: OneSummaryProps) {
  const text = useStore(words).recording;
  const [chosen, setChosen] = useState("");
  if (!job.results?.summary) return <p class="soft">{text.noSummary}</p>;
  return (
    <Summary
      job={job.job_id}
      summary={job.results.summary}
      chosen={chosen}
      jump={(citation) => {
        setChosen(citation.pointer);
        jump(citation);
      }}
    />
  );
}
