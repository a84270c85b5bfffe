import { expect, test } from "vitest";
import { heard, NOTHING_SAID } from "../src/live/captions";
import type { LiveEvent } from "../src/live/events";
import { type Kept, Outbox } from "../src/live/outbox";

const sound = (length = 100) => new ArrayBuffer(length);
const durable = (track: string, upTo: number) => [{ track, durable_sequence: String(upTo) }];

function taken(outbox: Outbox): Kept[] {
  const found: Kept[] = [];
  for (let each = outbox.take(); each; each = outbox.take()) found.push(each);
  return found;
}

const places = (kept: readonly Kept[]) => kept.map((each) => `${each.track}${each.sequence}`);

const said = (id: string, ...spoken: string[]): LiveEvent => ({
  sequence: "1",
  final: {
    track: "room",
    segment: {
      segment_id: id,
      start_offset: "1s",
      end_offset: "2s",
      text: spoken.join(" "),
      words: spoken.map((word) => ({ word, start_offset: "1s", end_offset: "2s" })),
      channel: 0,
      track: 1,
    },
  },
});

const labels = (id: string, ...speakers: string[]): LiveEvent => ({
  sequence: "2",
  speaker_labels: {
    track: "room",
    utterance_id: id,
    speaker: speakers[0] ?? "",
    words: speakers.map((speaker) => ({ speaker })),
  },
});

test("lines get their speakers, word by word, and other ones where two turn out to be one", () => {
  const update: LiveEvent = { sequence: "4", speaker_update: { track: "room", old: "S3", new: "S1" } };
  const refinement: LiveEvent = {
    sequence: "3",
    refinement: { track: "room", utterance_id: "b", clean_text: "Fine." },
  };
  let captions = heard(NOTHING_SAID, said("a", "well", "done", "thanks"));
  captions = heard(heard(captions, said("b", "fine")), labels("b", "S3"));
  captions = heard(heard(captions, labels("a", "S1", "S3", "S2")), refinement);
  expect(captions.lines.map((line) => line.parts)).toEqual([
    [
      { speaker: "S1", text: "well" },
      { speaker: "S3", text: "done" },
      { speaker: "S2", text: "thanks" },
    ],
    [{ speaker: "S3", text: "Fine." }],
  ]);
  captions = heard(captions, update);
  expect(captions.lines.map((line) => line.parts)).toEqual([
    [
      { speaker: "S1", text: "well done" },
      { speaker: "S2", text: "thanks" },
    ],
    [{ speaker: "S1", text: "Fine." }],
  ]);
});

test("messages are counted by track, sent once, and again after a break where they are not durable", () => {
  const outbox = new Outbox(10_000);
  for (const track of ["a", "b", "a", "a"]) outbox.add(track, sound());
  expect(places(taken(outbox))).toEqual(["a1", "b1", "a2", "a3"]);
  expect([outbox.isDrained, taken(outbox)]).toEqual([true, []]);
  outbox.settle(durable("a", 1));
  outbox.add("b", sound());
  expect(outbox.isDrained).toBe(false);
  expect(places(taken(outbox))).toEqual(["b2"]);
  outbox.rewind(durable("a", 2));
  expect(places(taken(outbox))).toEqual(["b1", "a3", "b2"]);
});

test("what is durable makes room, and a track that is left out keeps nothing", () => {
  const outbox = new Outbox(10_000);
  outbox.add("a", sound());
  outbox.add("b", sound());
  const both = outbox.bytes;
  outbox.settle(durable("a", 1));
  expect(outbox.bytes).toBe(both / 2);
  outbox.drop("b");
  outbox.add("b", sound());
  expect([outbox.bytes, taken(outbox)]).toEqual([0, []]);
});

test("where there is no room, silence of the same length takes the place of sound", () => {
  const outbox = new Outbox(400);
  const kept = [1, 2, 3, 4, 5, 6].map(() => outbox.addSound("a", sound(), 0.1));
  expect(kept).toEqual([true, true, false, false, false, false]);
  const bytes = outbox.bytes;
  for (let count = 0; count < 36_000; count++) outbox.addSound("a", sound(), 0.1);
  expect(outbox.bytes).toBeLessThan(bytes + 200);
  const [, , first, second] = taken(outbox).map((each) => each.content);
  const lengths = [first, second].map((each) => {
    const { silence } = each as { silence: { duration: string } };
    return Number.parseFloat(silence.duration);
  });
  expect(lengths[0]).toBeLessThanOrEqual(3600);
  expect((lengths[0] ?? 0) + (lengths[1] ?? 0)).toBeCloseTo(3600.4);
});

test("silence that was sent does not grow", () => {
  const outbox = new Outbox(400);
  outbox.addSilence("a", 1);
  outbox.addSilence("a", 1);
  expect(taken(outbox)).toEqual([{ track: "a", sequence: 1, content: { silence: { duration: "2.000s" } } }]);
  outbox.addSilence("a", 1);
  expect(places(taken(outbox))).toEqual(["a2"]);
});

const event = (content: object) => ({ sequence: "0", ...content }) as LiveEvent;
const partial = (id: string, stable: string, rest = "", track = "a") =>
  event({ partial: { track, utterance_id: id, stable_text: stable, unstable_text: rest } });
const final = (id: string, text: string, start: string, track = "a") =>
  event({ final: { track, segment: { segment_id: id, text, start_offset: start } } });

test("a final takes the place of its partial, and a refinement that of the final's text", () => {
  const events = [
    partial("u1", "good", "morn"),
    partial("u1", "good morning", "", "b"),
    final("u1", "good morning everyone", "0.100s"),
    event({ refinement: { track: "a", utterance_id: "u1", clean_text: "Good morning, everyone." } }),
    partial("u1", "good morning every"),
    partial("u2", "next"),
  ];
  const { lines, unfinished } = events.reduce(heard, NOTHING_SAID);
  expect(lines).toMatchObject([{ id: "u1", track: "a", start: 0.1, text: "Good morning, everyone." }]);
  expect(unfinished).toEqual({
    a: { id: "u2", stable: "next", rest: "" },
    b: { id: "u1", stable: "good morning", rest: "" },
  });
});

test("lines stand in the order of their times; an empty final is no line", () => {
  const events = [final("u2", "later", "5s", "b"), final("u1", "earlier", "1s"), final("u3", "", "7s")];
  const { lines } = events.reduce(heard, NOTHING_SAID);
  expect(lines.map((line) => line.text)).toEqual(["earlier", "later"]);
});

test("what was unfinished when a connection broke is forgotten", () => {
  const events = [partial("u1", "good"), event({ started: {} })];
  expect(events.reduce(heard, NOTHING_SAID).unfinished).toEqual({});
});
