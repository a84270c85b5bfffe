import { expect, test } from "vitest";
import { bytes, clock, humanised, seconds } from "../src/format";
import { isRecording } from "../src/upload/files";
import { de } from "../src/words/de";
import { en } from "../src/words/en";

test.each([
  [0, "0:00"],
  [7.9, "0:07"],
  [725, "12:05"],
  [10_859, "3:00:59"],
  [-1, "0:00"],
])("%d seconds are %s", (time, text) => {
  expect(clock(time)).toBe(text);
});

test("durations, sizes and keys are written for people", () => {
  expect([seconds("12.300s"), seconds(undefined)]).toEqual([12.3, 0]);
  expect([bytes(0, "en"), bytes(999, "en"), bytes(1_500_000, "en")]).toEqual([
    "0 byte",
    "999 byte",
    "1.5 MB",
  ]);
  expect(humanised("action_items")).toBe("Action items");
});

test.each([
  ["a.wav", "audio/wav", true],
  ["a.opus", "", true],
  ["film.mkv", "", true],
  ["notes.txt", "text/plain", false],
  [".DS_Store", "", false],
])("%s of type %s is a recording: %s", (name, type, is) => {
  expect(isRecording({ name, type })).toBe(is);
});

function shape(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]));
}

test("every text is there in German, and none is empty", () => {
  expect(shape(de)).toEqual(shape(en));
  expect(JSON.stringify(de)).not.toContain('""');
});
