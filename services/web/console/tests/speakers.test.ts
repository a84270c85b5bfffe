import { describe, expect, test } from "vitest";
import type { Segment, Speaker } from "../src/api/types";
import { corrected, corrections, join, linesOf, split, withSpeaker } from "../src/recording/editing/draft";
import { rowsOf } from "../src/recording/rows";
import {
  choicesOf,
  labelOf,
  laneLabel,
  namesBeside,
  sharesOf,
  stripsOf,
  voiceOf,
} from "../src/speakers/speakers";
import { isValidCount, speakerOptions } from "../src/upload/speaker_count";
import { de } from "../src/words/de";
import { en } from "../src/words/en";

function speaker(id: string, name = "", seconds = 1): Speaker {
  return { speaker: id, name, speech_duration: `${seconds}s` };
}

function segment(id: string, start: number, by?: string): Segment {
  const times = { start_offset: `${start}s`, end_offset: `${start + 1}s` };
  const said = by === undefined ? {} : { speaker: by };
  return { segment_id: id, text: `text ${id}`, words: [], channel: 0, track: 0, ...times, ...said };
}

const TWO = [speaker("S1", "Anna", 3), speaker("S2", "", 1)];
const SAID = [segment("a", 0, "S1"), segment("b", 1, "S1"), segment("c", 2, "S2")];

describe("speakers", () => {
  test("are called by their names, or else by their numbers", () => {
    expect(labelOf("S1", TWO, en.speakers)).toBe("Anna");
    expect(labelOf("S2", TWO, en.speakers)).toBe("Speaker 2");
    expect(labelOf("S2", TWO, de.speakers)).toBe("Person 2");
    const placed = { ...speaker("S2"), channel: 2 };
    expect(labelOf("S2", [placed], en.speakers)).toBe("Channel 2");
    expect(labelOf("S2", [{ ...placed, track: 1 }], de.speakers)).toBe("Spur 1, Kanal 2");
    expect(labelOf("other", TWO, en.speakers)).toBe("other");
    const lane = { track: 0, channel: 2 };
    const anna = { ...placed, name: "Anna" };
    expect(laneLabel(lane, [...TWO, anna], en.speakers)).toBe("Anna · Channel 2");
    expect(laneLabel(lane, [placed], de.speakers)).toBe("Kanal 2");
    expect(laneLabel(lane, [anna, placed], en.speakers)).toBe("Channel 2");
    expect(laneLabel({ ...lane, track: 1 }, [anna], de.speakers)).toBe("Spur 1, Kanal 2");
  });

  test("have their shares of the speech, and those without any are left out", () => {
    const shares = sharesOf([...TWO, speaker("S3", "", 0)]);
    expect(shares.map(({ speaker: each, share }) => [each.speaker, share])).toEqual([
      ["S1", 0.75],
      ["S2", 0.25],
    ]);
    expect(sharesOf([])).toEqual([]);
  });

  test("begin with the first colour again after the last", () => {
    expect(["S1", "S8", "S9"].map(voiceOf)).toEqual([0, 7, 0]);
  });

  test("that a line may have are those known, those drafted, and a new one", () => {
    expect(choicesOf(TWO, SAID)).toEqual(["S1", "S2", "S3"]);
    expect(choicesOf(TWO, [segment("a", 0, "S3")])).toEqual(["S1", "S2", "S3", "S4"]);
    expect(choicesOf([], [segment("a", 0)])).toEqual([]);
  });

  test("suggest the names of the others, each once", () => {
    const all = [...TWO, speaker("S3", "Anna"), speaker("S4", "Ben")];
    expect(namesBeside("S4", all)).toEqual(["Anna"]);
    expect(namesBeside("S2", all)).toEqual(["Anna", "Ben"]);
  });

  test("are named where they begin to speak", () => {
    const results = { warnings: [], suspect_texts: [], language_code: "", revision: 0, speakers: TWO };
    const rows = rowsOf({ ...results, segments: SAID });
    expect(rows.map((row) => row.kind === "segment" && row.begins)).toEqual([true, false, true]);
  });

  test("are a path each in the strip of turns", () => {
    expect(stripsOf([...SAID, segment("d", 3)])).toEqual([
      { voice: 0, path: "M0 0h1v1h-1zM1 0h1v1h-1z" },
      { voice: 1, path: "M2 0h1v1h-1z" },
    ]);
  });
});

describe("who speaks in a corrected line", () => {
  const lines = linesOf(SAID);

  test("is sent where it changed", () => {
    expect(corrections(SAID, withSpeaker(lines, "a", "S2"))).toEqual([
      { segment_ids: ["a"], segments: [{ text: "text a", speaker: "S2" }] },
    ]);
    expect(corrections(SAID, withSpeaker(withSpeaker(lines, "a", "S2"), "a", "S1"))).toEqual([]);
  });

  test("can be another in the second part of a split", () => {
    const after = withSpeaker(split(lines, "a", 4), "a+1", "S3");
    const edits = corrections(SAID, after);
    expect(edits).toEqual([
      { segment_ids: ["a"], segments: [{ text: "text" }, { text: "a", speaker: "S3" }] },
    ]);
    // As this browser keeps it over a reload.
    expect(corrected(SAID, edits).map((line) => line.segment.speaker)).toEqual(["S1", "S3", "S1", "S2"]);
  });

  test("is the first line's where lines are joined after a choice", () => {
    const joined = join(withSpeaker(lines, "c", "S1"), "c");
    expect(corrections(SAID, joined)).toEqual([
      { segment_ids: ["b", "c"], segments: [{ text: "text b text c", speaker: "S1" }] },
    ]);
    const plain = join(lines, "c");
    expect(corrections(SAID, plain)[0]?.segments).toEqual([{ text: "text b text c" }]);
  });
});

describe("the number of speakers", () => {
  test("is sent as it is known", () => {
    const count = { least: 2, most: 4 };
    expect(speakerOptions({ kind: "automatic", ...count })).toBeNull();
    expect(speakerOptions({ kind: "exactly", ...count })).toEqual({ speaker_count: 2 });
    expect(speakerOptions({ kind: "between", ...count })).toEqual({
      min_speaker_count: 2,
      max_speaker_count: 4,
    });
  });

  test.each([
    ["automatic", Number.NaN, 0, true],
    ["exactly", 2, 0, true],
    ["exactly", Number.NaN, 6, false],
    ["exactly", 51, 60, false],
    ["between", 4, 4, true],
    ["between", 4, 3, false],
  ] as const)("%s %d %d is valid: %s", (kind, least, most, valid) => {
    expect(isValidCount({ kind, least, most })).toBe(valid);
  });
});
