import { expect, test } from "vitest";
import { asksAnew, type JobEvent, refreshed, withEvents } from "../src/api/events";
import type { Job, Segment, StageProgress } from "../src/api/types";

function segment(id: string, text: string, clean?: string): Segment {
  const said = { segment_id: id, text, words: [], channel: 0, track: 0 };
  return clean === undefined ? said : { ...said, clean_text: clean };
}

function asr(fraction: number, ended = 0): StageProgress {
  return { stage: "asr", fraction, ended_units: ended, total_units: 4 };
}

const RUNNING: Job = {
  job_id: "1",
  state: "PROCESSING_ASR",
  create_time: "2026-01-01T00:00:00Z",
  progress: [asr(0.25, 1)],
  failures: [],
  display_name: "",
  labels: {},
  newest_revision: 0,
  summary_job_ids: [],
  recording_sha256: "",
};
const texts = (job: Job) => job.results?.segments.map((each) => each.clean_text ?? each.text);

test("segments come, and later ones take the place of earlier ones", () => {
  const first = withEvents(RUNNING, [{ segment: segment("a", "helo") }, { segment: segment("b", "world") }]);
  const then = withEvents(first, [
    { segment: segment("a", "hello") },
    { segment: segment("b", "world", "World.") },
  ]);
  expect(texts(then)).toEqual(["hello", "World."]);
  expect(texts(withEvents(then, [{ segment: segment("b", "world") }]))).toEqual(["hello", "World."]);
});

test("a warning that is repeated is shown once", () => {
  const warning = { reason: "AUDIO_CLIPPED", message: "Too loud." };
  const job = withEvents(withEvents(RUNNING, [{ warning }]), [{ warning: { ...warning } }]);
  expect(job.results?.warnings).toEqual([warning]);
});

test("a stream that begins anew takes no state back, and its end comes with the whole job", () => {
  const repeated: JobEvent[] = [
    { state_changed: { state: "PENDING" } },
    { state_changed: { state: "PREPROCESSING" } },
    { stage_progress: asr(0.5, 2) },
  ];
  expect(withEvents(RUNNING, repeated)).toMatchObject({ state: "PROCESSING_ASR", progress: [asr(0.5, 2)] });
  const ends: JobEvent[] = [{ state_changed: { state: "COMPLETE" } }];
  expect(withEvents(RUNNING, ends).state).toBe("PROCESSING_ASR");
  const job: Job = { ...RUNNING, state: "COMPLETE", display_name: "whole" };
  expect(withEvents(RUNNING, [...ends, { finished: { job } }])).toBe(job);
});

test("what no event has is asked for after later states and failures", () => {
  expect(asksAnew(RUNNING, { state_changed: { state: "PREPROCESSING" } })).toBe(false);
  expect(asksAnew(RUNNING, { state_changed: { state: "PROCESSING_LLM" } })).toBe(true);
  expect(asksAnew(RUNNING, { unit_ended: {} })).toBe(false);
  const failure = { reason: "BUSY", message: "", unit: "asr.0001" };
  expect(asksAnew(RUNNING, { unit_ended: { failure } })).toBe(true);
});

test("an answer takes back nothing that units said which still run", () => {
  const before = withEvents(RUNNING, [
    { segment: segment("a", "one") },
    { segment: segment("b", "two so far") },
    { stage_progress: asr(0.4, 1) },
  ]);
  const results = { segments: [segment("a", "one", "One.")], warnings: [], suspect_texts: [] };
  const now: Job = { ...RUNNING, results: { ...results, language_code: "en", revision: 0, speakers: [] } };
  const shown = refreshed(now, before);
  expect([texts(shown), shown.progress, shown.results?.language_code]).toEqual([
    ["One.", "two so far"],
    [asr(0.4, 1)],
    "en",
  ]);
  const ended: Job = { ...now, state: "COMPLETE" };
  expect(refreshed(ended, before)).toBe(ended);
});
