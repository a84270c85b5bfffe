import { isFinal } from "../format";
import {
  type Failure,
  type Job,
  type JobResults,
  type JobState,
  type Segment,
  STATES,
  type StageProgress,
  type Warning,
} from "./types";

/** Something that happened to a job (docs/http.md, "Events"). */
export interface JobEvent {
  state_changed?: { state: JobState };
  unit_ended?: { failure?: Failure };
  stage_progress?: StageProgress;
  segment?: Segment;
  warning?: Warning;
  finished?: { job: Job };
}

/** The names of the events that change what a page shows. */
export const EVENTS = [
  "state_changed",
  "unit_ended",
  "stage_progress",
  "segment",
  "warning",
  "finished",
] as const;

/** A job after events. What an event says that the job has already changes nothing. */
export function withEvents(job: Job, events: readonly JobEvent[]): Job {
  const finished = events.find((event) => event.finished)?.finished;
  if (finished) return finished.job;
  const states = events.flatMap(({ state_changed }) => state_changed?.state ?? []);
  // The end comes with all results, as `finished`.
  const running = states.filter((state) => !isFinal(state));
  return {
    ...job,
    state: [job.state, ...running].reduce(later),
    progress: withProgress(
      job.progress,
      events.flatMap((event) => event.stage_progress ?? []),
    ),
    results: withResults(job, events),
  };
}

/** Whether an event changes what no event has: lengths, versions and failures. */
export function asksAnew(job: Job, { state_changed, unit_ended }: JobEvent): boolean {
  const isLater = state_changed !== undefined && later(job.state, state_changed.state) !== job.state;
  return isLater || unit_ended?.failure !== undefined;
}

/** A job that was asked for, with what events said of units that still run, which is in no answer. */
export function refreshed(now: Job, before: Job): Job {
  if (isFinal(now.state)) return now;
  const fractions = new Map(now.progress.map((each) => [each.stage, each.fraction]));
  const further = before.progress.filter((each) => each.fraction > (fractions.get(each.stage) ?? 0));
  return withEvents(now, [
    ...further.map((stage_progress) => ({ stage_progress })),
    ...(before.results?.segments ?? []).map((segment) => ({ segment })),
  ]);
}

/** Of two states of a job that runs the later one: what a stream repeats is older than what the page has. */
function later(one: JobState, other: JobState): JobState {
  return STATES.indexOf(other) > STATES.indexOf(one) ? other : one;
}

function withProgress(before: readonly StageProgress[], news: readonly StageProgress[]): StageProgress[] {
  const stages = new Map(before.map((each) => [each.stage, each]));
  for (const each of news) stages.set(each.stage, each);
  return [...stages.values()];
}

function withResults({ results }: Job, events: readonly JobEvent[]): NonNullable<Job["results"]> {
  const before = results ?? NOTHING;
  const said = events.flatMap(({ segment }) => segment ?? []);
  const warnings = new Map([...before.warnings, ...events.flatMap((each) => each.warning ?? [])].map(named));
  return {
    ...before,
    segments: said.length ? withSegments(before.segments, said) : before.segments,
    warnings: [...warnings.values()],
  };
}

const NOTHING: JobResults = {
  segments: [],
  warnings: [],
  suspect_texts: [],
  language_code: "",
  revision: 0,
  speakers: [],
};

/** A later segment takes the place of an earlier one; cleaned ones do not become raw again. */
function withSegments(before: readonly Segment[], news: readonly Segment[]): Segment[] {
  const segments = new Map(before.map((each) => [each.segment_id, each]));
  for (const each of news) {
    const isOlder = each.clean_text === undefined && segments.get(each.segment_id)?.clean_text !== undefined;
    if (!isOlder) segments.set(each.segment_id, each);
  }
  return [...segments.values()];
}

function named(warning: Warning): [string, Warning] {
  return [JSON.stringify(warning), warning];
}
