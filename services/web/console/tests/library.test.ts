import { describe, expect, test } from "vitest";
import type { Moment } from "../src/api/types";
import { distinct } from "../src/library/moments";
import { addressOf, EVERYTHING, filterQuery, highlighted, searchWords, viewIn } from "../src/library/query";

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
    const query = filterQuery({ ...EVERYTHING, from: "2026-05-05", until: "2026-05-05" }, 50, "");
    expect(query.get("accepted_from")).toBe(new Date(2026, 4, 5).toISOString());
    expect(query.get("accepted_until")).toBe(new Date(2026, 4, 6).toISOString());
  });

  test.each([
    [{}, ""],
    [{ state: "FAILED", template: "lecture_v1" }, "state=FAILED&template=lecture_v1"],
    [{ language: "en", speaker: " Ben Okri " }, "language=en&speaker=Ben+Okri"],
    [{ label: "team=red" }, "label=team%3Dred"],
    [{ label: "tea" }, ""],
    [{ from: "never" }, ""],
  ] as const)("are asked for as they are set: %o", (filter, asked) => {
    const query = filterQuery({ ...EVERYTHING, ...filter }, 50, "");
    query.delete("page_size");
    expect(query.toString()).toBe(asked);
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
