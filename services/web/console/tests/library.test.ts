import { describe, expect, test } from "vitest";
import type { Job, Moment } from "../src/api/types";
import { distinct } from "../src/library/moments";
import {
  addressOf,
  EVERYTHING,
  fits,
  highlighted,
  jobsQuery,
  searchWords,
  viewIn,
} from "../src/library/query";

const JOB: Job = {
  job_id: "1",
  state: "COMPLETE",
  config: { features: [], template_id: "meeting_notes_v1", filename: "a.wav" },
  create_time: new Date(2026, 4, 5, 12).toISOString(),
  progress: [],
  failures: [],
  display_name: "a",
  labels: { team: "red" },
  newest_revision: 0,
  summary_job_ids: [],
  recording_sha256: "",
};

test("a view is kept in the address", () => {
  const view = {
    ...EVERYTHING,
    words: "a & b",
    state: "FAILED",
    label: "team=red",
    from: "2026-05-01",
  } as const;
  const address = addressOf(view);
  expect(viewIn(new URL(address, "http://localhost").searchParams)).toEqual(view);
  expect(addressOf(EVERYTHING)).toBe("/");
  expect(viewIn(new URLSearchParams("state=NONSENSE")).state).toBe("");
});

test.each([
  ["", ""],
  ["releas", "releas*"],
  ["two words", "two words*"],
  ['"as it sta', '"as it sta"'],
  ['"whole" ', '"whole"'],
  ["star*", "star*"],
])("what is typed so far is searched as a beginning: %s", (typed, query) => {
  expect(searchWords(typed)).toBe(query);
});

test("words that were searched for are marked, the last as a beginning", () => {
  const marked = highlighted("The release of releases.", "the releas*").filter((piece) => piece.found);
  expect(marked.map((piece) => piece.text)).toEqual(["The", "release", "releases"]);
  const pieces = highlighted("<b>x</b>", "b");
  expect(pieces.map((piece) => piece.text).join("")).toBe("<b>x</b>");
});

describe("filters", () => {
  test("take whole days of the browser's time zone", () => {
    const query = jobsQuery({ ...EVERYTHING, from: "2026-05-05", until: "2026-05-05" }, 50, "");
    expect(query.get("accepted_from")).toBe(new Date(2026, 4, 5).toISOString());
    expect(query.get("accepted_until")).toBe(new Date(2026, 4, 6).toISOString());
  });

  test.each([
    [{ state: "COMPLETE" }, true],
    [{ state: "FAILED" }, false],
    [{ template: "meeting_notes_v1" }, true],
    [{ template: "lecture_v1" }, false],
    [{ label: "team=red" }, true],
    [{ label: "team=blue" }, false],
    [{ label: "tea" }, true],
    [{ from: "2026-05-05", until: "2026-05-05" }, true],
    [{ from: "2026-05-06" }, false],
    [{ until: "2026-05-04" }, false],
  ] as const)("are the same for what search finds: %o", (filter, passes) => {
    expect(fits(JOB, { ...EVERYTHING, ...filter })).toBe(passes);
  });
});

test("what a summary repeats of the transcript stands once", () => {
  const at = (start: string, snippet: string, pointer = ""): Moment => ({
    range: { start_offset: start, end_offset: "30s" },
    segment_id: "c0000-s0001",
    pointer,
    snippet,
  });
  const said = at("27s", "We keep the price.");
  const other = at("40s", "We keep the price.");
  const alone: Moment = { segment_id: "", pointer: "/title", snippet: "Prices" };
  expect(distinct([said, at("27s", "We keep the price.", "/decisions/0"), other, alone])).toEqual([
    said,
    other,
    alone,
  ]);
});
