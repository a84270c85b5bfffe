import { expect, test } from "vitest";
import type { Segment } from "../src/api/types";
import {
  corrected,
  corrections,
  join,
  linesOf,
  shownText,
  split,
  withText,
} from "../src/recording/editing/draft";

function segment(number: number, text: string, channel = 0): Segment {
  const [start, end] = [4 * number, 4 * number + 4];
  const words = text.split(" ").map((word, index, all) => ({
    word,
    start_offset: `${start + (4 * index) / all.length}s`,
    end_offset: `${start + (4 * (index + 1)) / all.length}s`,
  }));
  const range = { start_offset: `${start}s`, end_offset: `${end}s` };
  return { segment_id: `s${number}`, text, words, channel, track: 0, ...range };
}

const BASE = [segment(0, "we ship on friday"), segment(1, "all agree"), segment(2, "thank you")];
const texts = (lines: readonly { text: string }[]) => lines.map((line) => line.text);

test("without a change there is nothing to save", () => {
  expect(corrections(BASE, linesOf(BASE))).toEqual([]);
  const there = withText(linesOf(BASE), "s0", "other");
  expect(corrections(BASE, withText(there, "s0", "we ship on friday"))).toEqual([]);
});

test("a changed text replaces its segment", () => {
  const lines = withText(linesOf(BASE), "s1", "nobody agrees");
  expect(corrections(BASE, lines)).toEqual([{ segment_ids: ["s1"], segments: [{ text: "nobody agrees" }] }]);
});

test("a line without text is removed", () => {
  const lines = withText(linesOf(BASE), "s1", "  ");
  expect(corrections(BASE, lines)).toEqual([{ segment_ids: ["s1"], segments: [] }]);
});

test("a split is at its word", () => {
  const lines = split(linesOf(BASE), "s0", "we ship ".length);
  expect(texts(lines)).toEqual(["we ship", "on friday", "all agree", "thank you"]);
  expect(lines[1]?.segment.start_offset).toBe("2s");
  expect(lines[1]?.segment.words.map((each) => each.word)).toEqual(["on", "friday"]);
  expect(corrections(BASE, lines)).toEqual([
    { segment_ids: ["s0"], segments: [{ text: "we ship" }, { text: "on friday" }] },
  ]);
});

test("nothing is split at the ends of a line", () => {
  const lines = linesOf(BASE);
  expect(split(lines, "s0", 0)).toBe(lines);
  expect(split(lines, "s0", 17)).toBe(lines);
});

test("a join replaces both, and a split of it is one correction", () => {
  const joined = join(linesOf(BASE), "s1");
  expect(texts(joined)).toEqual(["we ship on friday all agree", "thank you"]);
  const lines = split(joined, "s0", "we ship".length);
  expect(corrections(BASE, lines)).toEqual([
    { segment_ids: ["s0", "s1"], segments: [{ text: "we ship" }, { text: "on friday all agree" }] },
  ]);
});

test("a part of a split joined to the next line takes that with it", () => {
  const parts = split(linesOf(BASE), "s0", "we ship".length);
  const lines = join(parts, "s1");
  expect(corrections(BASE, lines)).toEqual([
    { segment_ids: ["s0", "s1"], segments: [{ text: "we ship" }, { text: "on friday all agree" }] },
  ]);
});

test("lines of two channels are not joined", () => {
  const lines = linesOf([segment(0, "one", 1), segment(1, "two", 2)]);
  expect(join(lines, "s1")).toBe(lines);
});

test("corrections that were kept give the same lines", () => {
  const lines = withText(split(join(linesOf(BASE), "s1"), "s0", 7), "s2", "thanks");
  const edits = corrections(BASE, lines);
  const again = corrected(BASE, edits);
  expect(texts(again)).toEqual(texts(lines));
  expect(corrections(BASE, again)).toEqual(edits);
});

test("corrections of segments that are not there are left out", () => {
  const edits = [{ segment_ids: ["gone"], segments: [{ text: "x" }] }];
  expect(texts(corrected(BASE, edits))).toEqual(BASE.map(shownText));
});
