import { describe, expect, test } from "vitest";
import type { JobResults, Segment, Timeline, Word } from "../src/api/types";
import { Heights } from "../src/recording/heights";
import { after, pausesOf } from "../src/recording/pauses";
import { pointer } from "../src/recording/pointer";
import { lastBegun, rowsOf } from "../src/recording/rows";
import { spans } from "../src/recording/spans";
import { timedWords } from "../src/recording/words";

function word(text: string, start: number, confidence?: number): Word {
  const times = { start_offset: `${start}s`, end_offset: `${start + 1}s` };
  return confidence === undefined ? { word: text, ...times } : { word: text, confidence, ...times };
}

function segment(id: string, start: number): Segment {
  const times = { start_offset: `${start}s`, end_offset: `${start + 1}s` };
  return { segment_id: id, text: id, words: [], channel: 0, track: 0, ...times };
}

const EMPTY: JobResults = {
  segments: [],
  language_code: "",
  warnings: [],
  suspect_texts: [],
  revision: 0,
  speakers: [],
};

describe("words of a cleaned text", () => {
  test("take the times of the words that they were", () => {
    const timed = timedWords("Good morning, everyone.", [
      word("good", 1),
      word("morning", 2),
      word("everyone", 3),
    ]);
    expect(timed.map((each) => [each.text, each.start])).toEqual([
      ["Good", 1],
      ["morning,", 2],
      ["everyone.", 3],
    ]);
  });

  test("that cleaning added or left out move no other word", () => {
    const timed = timedWords("So the cat sat", [
      word("uh", 1),
      word("the", 2),
      word("the", 3),
      word("cat", 4, 0.3),
    ]);
    expect(timed.map((each) => each.start)).toEqual([1, 2, 4, 4]);
    expect(timed.map((each) => each.confidence)).toEqual([null, null, 0.3, null]);
  });

  test("without times are words all the same", () => {
    expect(timedWords("No times", [])).toEqual([
      { text: "No", start: 0, end: 0, confidence: null },
      { text: "times", start: 0, end: 0, confidence: null },
    ]);
  });
});

describe("lines", () => {
  test("are in the order of the recording, with the notes where they are", () => {
    const range = { start_offset: "3s", end_offset: "4s" };
    const rows = rowsOf({
      ...EMPTY,
      segments: [segment("a", 1), segment("b", 5)],
      warnings: [
        { reason: "GAP", message: "A gap.", range },
        { reason: "TRUNCATED", message: "Of all of it." },
      ],
    });
    expect(rows.map((row) => row.key)).toEqual(["a", "w0", "b"]);
    expect([0, 1, 2.9, 3, 7].map((time) => lastBegun(rows, time))).toEqual([-1, 0, 0, 1, 2]);
  });

  test("show a text that was left out once, with what was written where that is known", () => {
    const range = { start_offset: "3s", end_offset: "4s" };
    const removed = { reason: "TEXT_REMOVED", message: "Text was left out here.", range };
    const suspect = { text: "Thanks for watching", reason: "NON_SPEECH", removed: true, range };
    const keys = (suspect_texts: JobResults["suspect_texts"]) =>
      rowsOf({ ...EMPTY, warnings: [removed], suspect_texts }).map((row) => row.key);
    expect(keys([suspect])).toEqual(["t0"]);
    expect(keys([])).toEqual(["w0"]);
    expect(keys([{ ...suspect, removed: false }])).toEqual(["w0", "t0"]);
  });

  test("are found by their place, whatever was measured", () => {
    const heights = new Heights(Array.from({ length: 5000 }, () => 40));
    expect(heights.total).toBe(200_000);
    expect(heights.measure(10, 100)).toBe(60);
    expect(heights.measure(10, 100)).toBe(0);
    expect(heights.total).toBe(200_060);
    expect([0, 399, 400, 499, 500].map((place) => heights.lineAt(place))).toEqual([0, 9, 10, 10, 11]);
    expect([-600, 1e9].map((place) => heights.lineAt(place))).toEqual([0, 4999]);
  });

  test("may be none", () => {
    const none = new Heights([]);
    expect([none.total, none.lineAt(0)]).toEqual([0, 0]);
  });
});

test("a pointer escapes what RFC 6901 wants escaped", () => {
  expect(pointer("/a", "b/c~d")).toBe("/a/b~1c~0d");
});

test("an attempt waits until it starts, and one that has not begun waits still", () => {
  const at = (second: number) => new Date(second * 1000).toISOString();
  const attempt = { unit: "asr.0000", stage: "asr", attempt: 1, state: "QUEUED", worker: "" } as const;
  const timeline: Timeline = { create_time: at(0), read_time: at(10), attempts: [], waiting_units: 0 };
  const ended = { ...attempt, queue_time: at(1), start_time: at(3), end_time: at(8) };
  expect(spans(timeline, ended)).toEqual({
    left: 0.1,
    waiting: 0.2,
    running: 0.5,
    waitSeconds: 2,
    runSeconds: 5,
  });
  expect(spans(timeline, { ...attempt, queue_time: at(6) })).toMatchObject({ waiting: 0.4, running: 0 });
});

describe("pauses", () => {
  const range = { start_offset: "20s", end_offset: "30s" };
  const rows = rowsOf({
    ...EMPTY,
    segments: [{ ...segment("a", 4), words: [word("one", 4), word("two", 9)] }, segment("b", 11)],
    warnings: [{ reason: "GAP", message: "A gap.", range }],
  });
  const pauses = pausesOf(rows, 40);

  test("are between words and lines, and where nobody has read is none", () => {
    expect(pauses.map(({ start, end }) => [start, end].map((time) => Number(time.toFixed(2))))).toEqual([
      [0.35, 3.65],
      [5.35, 8.65],
      [12.35, 19.65],
      [30.35, 39.65],
    ]);
  });

  test("are left at their ends", () => {
    expect([0, 0.35, 3, 3.65, 6, 10.5, 25].map((time) => after(pauses, time))).toEqual([
      0, 3.65, 3.65, 3.65, 8.65, 10.5, 25,
    ]);
  });
});
