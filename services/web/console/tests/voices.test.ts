import { expect, test } from "vitest";
import type { Job, Speaker } from "../src/api/types";
import type { Candidate, Candidates } from "../src/voices/api";
import { consentTime, dayOf, heardIn, suggestionsOf } from "../src/voices/suggestions";

const anna: Candidate = { voice_id: "a", display_name: "Anna", score: 0.8, is_likely: true };
const ben: Candidate = { voice_id: "b", display_name: "Ben", score: 0.4, is_likely: false };

function speaker(id: string, name = "", own: Partial<Speaker> = {}): Speaker {
  return { speaker: id, name, ...own } as Speaker;
}

test("a likely name is suggested for who has none", () => {
  const found: Candidates[] = [
    { speaker: "S1", candidates: [anna, ben] },
    { speaker: "S2", candidates: [ben] },
    { speaker: "S3", candidates: [] },
    { speaker: "S4", candidates: [anna] },
    { speaker: "S5", candidates: [anna] },
  ];
  const speakers = [speaker("S1"), speaker("S2"), speaker("S3"), speaker("S4", "Carla")];
  expect(suggestionsOf(found, speakers)).toEqual([{ speaker: "S1", candidate: anna }]);
});

test("who has a channel or a track is not heard", () => {
  const speakers = [speaker("S1", "", { channel: 1 }), speaker("S2", "", { track: 2 }), speaker("S3")];
  const job = { results: { speakers } } as unknown as Job;
  expect(heardIn(job).map((each) => each.speaker)).toEqual(["S3"]);
  expect(heardIn({} as Job)).toEqual([]);
});

test("a day of consent is a time that is over", () => {
  const now = new Date(2026, 10, 29, 9, 30);
  expect(dayOf(now)).toBe("2026-11-29");
  expect(consentTime("2026-11-28", now)).toBe(new Date(2026, 10, 28).toISOString());
  expect(consentTime("2026-11-30", now)).toBe(now.toISOString());
});
