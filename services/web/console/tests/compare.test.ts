import { describe, expect, test } from "vitest";
import type { Job, JobResults } from "../src/api/types";
import { compared, piecesOf } from "../src/compare/differences";
import { differingSettings, figuresOf, stageTimes } from "../src/compare/figures";
import { type RunWord, wordsOf } from "../src/compare/run_words";
import { windowsOf } from "../src/compare/windows";

/** Words half a second apart; a line begins every `perLine` words. */
function said(text: string, begin = 0, perLine = 100): RunWord[] {
  return text.split(" ").map((word, index) => {
    const start = begin + index / 2;
    return { text: word, key: word.toLowerCase(), start, end: start + 0.4, first: index % perLine === 0 };
  });
}

const textOf = (words: readonly RunWord[]) => words.map((word) => word.text).join(" ");

describe("words of a run", () => {
  test("have times of their own line where it has no words, and no case or punctuation", () => {
    const segment = { segment_id: "a", start_offset: "10s", end_offset: "14s", channel: 0, track: 0 };
    const results = { segments: [{ ...segment, text: "Well, – yes", words: [] }] } as unknown as JobResults;
    expect(wordsOf(results)).toEqual([
      { text: "Well, –", key: "well", start: 10, end: 12 + 2 / 3, first: true },
      { text: "yes", key: "yes", start: 12 + 2 / 3, end: 14, first: false },
    ]);
    expect(wordsOf(undefined)).toEqual([]);
  });

  test("say who speaks where another begins", () => {
    const lines = ["S1", "S1", "S2", "S1", undefined].map((speaker, index) => ({
      segment_id: `${index}`,
      start_offset: `${index}s`,
      end_offset: `${index + 1}s`,
      text: "a b",
      words: [],
      speaker,
    }));
    const found = wordsOf({ segments: lines } as unknown as JobResults);
    const marked = found.filter((word) => word.speaker).map(({ start, speaker }) => [start, speaker]);
    expect(marked).toEqual([
      [0, "S1"],
      [2, "S2"],
      [3, "S1"],
    ]);
  });
});

describe("two transcripts", () => {
  test("differ in words that changed, were added and are missing", () => {
    const pieces = piecesOf(said("we ship on friday then"), said("We ship it on monday"));
    const found = pieces.map(({ same, left, right }) => [same, textOf(left), textOf(right)]);
    expect(found).toEqual([
      [true, "we ship", "We ship"],
      [false, "", "it"],
      [true, "on", "on"],
      [false, "friday then", "monday"],
    ]);
  });

  test("of which one is empty have the other whole", () => {
    const [row] = compared(said("all of it", 5), []);
    expect(row).toMatchObject({ start: 5, differs: true });
    expect(compared([], [])).toEqual([]);
  });

  test("stand in lines where either begins one", () => {
    const rows = compared(said("a b c d e f", 0, 3), said("a b x d e f", 0, 4));
    expect(rows.map((row) => [row.start, row.differs, row.pieces.map(({ left }) => textOf(left))])).toEqual([
      [0, true, ["a b", "c"]],
      [1.5, false, ["d"]],
      [2, false, ["e f"]],
    ]);
  });

  test("that have nothing in common cost no more than their length", () => {
    const [left, right] = [said("a ".repeat(5000).trim()), said("b ".repeat(5000).trim())];
    const rows = compared(left, right);
    expect(rows.every((row) => row.differs)).toBe(true);
    expect(rows.flatMap((row) => row.pieces).reduce((sum, piece) => sum + piece.left.length, 0)).toBe(5000);
  });
});

test("windows are cut in a pause that both have, and lose no word", () => {
  const left = [...said("a ".repeat(100).trim()), ...said("b ".repeat(100).trim(), 53)];
  const right = [...said("a ".repeat(100).trim(), 0.3), ...said("b ".repeat(100).trim(), 53.4)];
  const windows = windowsOf(left, right);
  expect(windows.map(([mine, theirs]) => [mine.length, theirs.length])).toEqual([
    [100, 100],
    [100, 100],
  ]);
});

test("four hours are compared in windows of bounded length, every tenth word apart", () => {
  const words = (other: string) =>
    said(Array.from({ length: 36_000 }, (_, n) => (n % 10 ? `word${n}` : other)).join(" "), 0, 15);
  const [left, right] = [words("x"), words("y")];
  expect(Math.max(...windowsOf(left, right).map(([mine]) => mine.length))).toBeLessThan(250);
  const rows = compared(left, right);
  const differences = rows.flatMap((row) => row.pieces).filter((piece) => !piece.same);
  expect(differences.length).toBe(3600);
  expect(differences.every(({ left, right }) => textOf(left) === "x" && textOf(right) === "y")).toBe(true);
});

describe("figures", () => {
  const job = (changed: Partial<Job>) => ({ config: { features: [] }, ...changed }) as unknown as Job;
  const engine = (model_name: string) => ({ engine: "whisper", model_name }) as never;
  const versions = (name: string, pipeline = "1.0") => ({
    pipeline,
    stages: [{ stage: "asr" as const, engine: engine(name) }],
  });

  test("settings are those that differ", () => {
    const pairs = differingSettings(
      job({ versions: versions("base"), config: { features: ["summary"], template_id: "", filename: "a" } }),
      job({ versions: versions("tiny"), config: { features: ["summary"], template_id: "b", filename: "c" } }),
    );
    expect(pairs).toEqual([
      { name: "asr.model_name", left: "base", right: "tiny" },
      { name: "options.template_id", left: "", right: "b" },
    ]);
  });

  test("are shown where a run has one", () => {
    const metrics = { real_time_factor: 0.5, asr_confidence: 0.9, processing_duration: "3s" };
    const found = figuresOf(job({ metrics }), job({}));
    expect(found.find(({ name }) => name === "asrConfidence")).toMatchObject({ left: 0.9, right: null });
    expect(found.some(({ name }) => name === "loudness")).toBe(false);
  });

  test("of stages are beside each other, whatever stages a run has", () => {
    const stages = [{ stage: "asr" as const, processing_duration: "2.5s" }];
    const times = stageTimes(job({ metrics: { real_time_factor: 1, stages } }), job({}));
    expect(times).toEqual([{ stage: "asr", left: 2.5, right: null }]);
  });
});
