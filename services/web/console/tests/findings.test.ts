import { describe, expect, test } from "vitest";
import type { QualityWindow, ReadWord } from "../src/api/findings";
import { curveOf, dotsOf, gradeOf, lanesOf, nearest, shareOf } from "../src/quality/report";
import {
  blocksOf,
  countsOf,
  differs,
  hesitationsOf,
  kindOf,
  spanOf,
  spokenOf,
} from "../src/reading/outcomes";
import { hasWords, isTooLong, LONGEST_TEXT } from "../src/upload/reading_text";

function range(start: number, end: number) {
  return { start_offset: `${start}s`, end_offset: `${end}s` };
}

function word(of: Partial<ReadWord> = {}): ReadWord {
  return { text: "a", outcome: "CORRECT", heard: "", phones: [], guessed: false, ends_phrase: false, ...of };
}

function window(start: number, overall: number, channel = 0): QualityWindow {
  return { range: range(start, start + 9), opinion: { overall }, channel, track: 0 };
}

describe("words of a reading", () => {
  test.each([
    [{}, "correct", false],
    [{ score: 0.5 }, "correct", false],
    [{ score: 0.49 }, "doubtful", true],
    [{ outcome: "WRONG", score: 0.1 }, "wrong", true],
    [{ outcome: "SKIPPED" }, "skipped", true],
    [{ outcome: "NOT_REACHED" }, "not_reached", false],
    [{ outcome: "FILLER" }, "filler", true],
  ] as const)("%o is %s", (of, kind, look) => {
    expect([kindOf(word(of)), differs(word(of))]).toEqual([kind, look]);
  });

  test("that were spoken have a time, which never ends before it begins", () => {
    expect(spanOf(word())).toBeNull();
    expect(spanOf(word({ range: range(2, 1) }))).toEqual({ start: 2, end: 2 });
    const words = [word({ range: range(3, 4) }), word(), word({ range: range(1, 2) })];
    expect(spokenOf(words).map(({ index }) => index)).toEqual([2, 0]);
  });

  test("are followed by the pauses that no punctuation asks for", () => {
    const words = [word({ range: range(0, 1.1) }), word({ range: range(2.3, 3) })];
    const pauses = [
      { range: range(1.1, 2.3), hesitation: true },
      { range: range(3, 4), hesitation: false },
    ];
    expect([...hesitationsOf({ words, pauses })].map(([at, long]) => [at, long.toFixed(1)])).toEqual([
      [0, "1.2"],
    ]);
    expect(countsOf({ words: [...words, word({ outcome: "NOT_REACHED" })], pauses })).toMatchObject({
      unreached: 1,
      pauses: 2,
    });
  });

  test("are drawn in blocks that have each of them once, and end with phrases", () => {
    const words = Array.from({ length: 1000 }, (_, index) =>
      word({ ends_phrase: index < 500 && index % 7 === 0 }),
    );
    const blocks = blocksOf(words);
    expect(blocks[0]).toEqual({ from: 0, to: 120 });
    expect(blocks.map(({ from }) => from)).toEqual([0, ...blocks.slice(0, -1).map(({ to }) => to)]);
    expect(blocks.at(-1)?.to).toBe(1000);
    expect(Math.max(...blocks.map(({ from, to }) => to - from))).toBeLessThanOrEqual(240);
    expect(blocksOf([])).toEqual([]);
  });
});

describe("scores", () => {
  test("have a name each, and a place between the least and the most", () => {
    expect([0, 1, 2.4, 2.5, 5, 9].map(gradeOf)).toEqual([
      "bad",
      "bad",
      "poor",
      "fair",
      "excellent",
      "excellent",
    ]);
    expect([0, 1, 3, 5, 6].map(shareOf)).toEqual([0, 0, 0.5, 1, 1]);
  });

  test("of channels are apart, by their numbers", () => {
    const lanes = lanesOf({ windows: [window(0, 3, 2), window(0, 2, 1), window(5, 2, 1)] });
    expect(lanes.map(({ channel, windows }) => [channel, windows.length])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  test("are found by the middle of their windows", () => {
    const windows = [window(0, 2), window(5, 3), window(60, 4)];
    expect([0, 6, 8, 9999].map((time) => nearest(windows, time))).toEqual([0, 0, 1, 2]);
    expect(nearest([], 1)).toBe(-1);
  });

  test("are a line that breaks where nobody speaks, and leave out what is not known", () => {
    const windows = [window(0, 5), window(5, 1), window(60, 3)];
    expect(curveOf(windows, "overall", 100)).toBe("M45.0 0.0L95.0 100.0M645.0 50.0h0");
    const apart = [window(0, 5), window(60, 3), window(65, 3)];
    expect(curveOf(apart, "overall", 100)).toBe("M45.0 0.0h0M645.0 50.0L695.0 50.0");
    expect(dotsOf(windows, "overall", 100)).toBe("M45.0 0.0h0M95.0 100.0h0M645.0 50.0h0");
    expect(curveOf(windows, "speech", 100) + dotsOf(windows, "speech", 100)).toBe("");
    const many = Array.from({ length: 720 }, (_, index) => window(5 * index, 3));
    expect(dotsOf(many, "overall", 3609)).toBe("");
  });
});

test("a text that is read has words, and as many characters as the server takes", () => {
  expect(["", " \n", "…!", "7", "ж", "本"].map(hasWords)).toEqual([false, false, false, true, true, true]);
  expect(isTooLong("😀".repeat(LONGEST_TEXT))).toBe(false);
  expect(isTooLong("😀".repeat(LONGEST_TEXT + 1))).toBe(true);
});
