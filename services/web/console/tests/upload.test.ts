import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../src/api/client";
import { followed } from "../src/upload/followed";
import { dropInterrupted, findInterrupted, interrupted } from "../src/upload/interrupted";
import { isPassing, metadataOf, pauseMs, problemIn, silenceMs } from "../src/upload/resuming";
import { toggled } from "../src/upload/toggling";
import { allUnfinished, forget, note, type Unfinished, unfinishedOf } from "../src/upload/unfinished";

// What the browser has and Node has not.
const stored = vi.hoisted(() => {
  const values = new Map<string, string>();
  const localStorage = {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => values.set(name, value),
    removeItem: (name: string) => values.delete(name),
  };
  const location = { pathname: "/upload", search: "" };
  Object.assign(globalThis, { localStorage, location, navigator: { language: "en" } });
  return values;
});
beforeEach(() => stored.clear());

const CHOICE = { features: ["clean_transcript" as const], template: "", language: "" };
const TALK: Unfinished = {
  id: "1",
  address: "/v1/uploads/1",
  name: "talk.wav",
  size: 5,
  changed: 7,
  choice: CHOICE,
  kept: false,
};

function problem(status: number, reason = "CONSOLE", seconds: number | null = null): Problem {
  return new Problem(status, reason, "", seconds);
}

test("pauses grow, and none is longer than half a minute", () => {
  const pauses = [0, 1, 4, 5, 50].map((breaks) => pauseMs(breaks, problem(503)));
  expect(pauses).toEqual([1000, 2000, 16_000, 30_000, 30_000]);
});

test("no pause is shorter than the server says", () => {
  expect(pauseMs(0, problem(429, "UPLOADS_FULL", 10))).toBe(10_000);
  expect(pauseMs(0, problem(429, "QUOTA", 3600))).toBe(3_600_000);
  expect(pauseMs(5, problem(429, "UPLOADS_FULL", 10))).toBe(30_000);
});

test.each([
  [problem(0, "UNREACHABLE"), true],
  [problem(0, "FILE_CHANGED"), false],
  [problem(400), false],
  [problem(401), true],
  [problem(403), false],
  [problem(408), true],
  [problem(409, "UPLOAD_OFFSET_WRONG"), true],
  [problem(409, "UPLOAD_FINISHED"), true],
  [problem(409, "REQUEST_ID_REUSED"), false],
  [problem(413), false],
  [problem(429), false],
  [problem(429, "UPLOADS_FULL", 10), true],
  [problem(503), true],
])("after some problems an upload goes on by itself: %o", (each, goesOn) => {
  expect(isPassing(each)).toBe(goesOn);
});

test("the server has more time for a large recording that is whole", () => {
  expect(silenceMs(4_000_000_000, false)).toBe(30_000);
  expect(silenceMs(4_000_000_000, true)).toBe(430_000);
});

test("an answer without a document says by its headers when to try again", () => {
  const answer = (status: number, seconds: string | undefined, body = "") => ({
    getStatus: () => status,
    getHeader: (name: string) => (name === "retry-after" ? seconds : undefined),
    getBody: () => body,
  });
  expect(problemIn(answer(429, "7"))).toMatchObject({ status: 429, retryAfterSeconds: 7 });
  expect(problemIn(answer(503, "Wed, 21 Oct 2015 07:28:00 GMT")).retryAfterSeconds).toBeNull();
  const document = JSON.stringify({ detail: "Full.", reason: "UPLOADS_FULL", retry_after_seconds: 9 });
  const found = problemIn(answer(429, undefined, document));
  expect(found).toMatchObject({ reason: "UPLOADS_FULL", message: "Full.", retryAfterSeconds: 9 });
});

test("metadata has what was chosen", () => {
  const file = new File(["sound"], "Küche.wav");
  expect(metadataOf(file, CHOICE)).toEqual({ filename: "Küche.wav", features: "clean_transcript" });
  const all = { features: ["summary" as const], template: "meeting_notes_v1", language: "de" };
  expect(metadataOf(file, all)).toEqual({
    filename: "Küche.wav",
    features: "summary",
    template_id: "meeting_notes_v1",
    options: '{"asr_options":{"language_code":"de"}}',
  });
});

test("a browser notes each upload once, and forgets it", () => {
  note(TALK);
  note({ ...TALK, address: "/v1/uploads/2" });
  note({ ...TALK, id: "2", name: "b.wav" });
  expect(allUnfinished().map((each) => each.address)).toEqual(["/v1/uploads/2", "/v1/uploads/1"]);
  forget("1");
  forget("2");
  expect([...stored.keys()]).toEqual([]);
});

test.each(["", "{", "5", '[5, null, {"id": 1}]'])("what is no note is left out: %s", (text) => {
  stored.set("maie.unfinished", text);
  expect(allUnfinished()).toEqual([]);
});

test("a file is known by its name, size and time", () => {
  const file = { name: "talk.wav", size: 5, lastModified: 7 };
  expect(unfinishedOf(file, [TALK])).toBe(TALK);
  for (const other of [{ name: "b.wav" }, { size: 6 }, { lastModified: 8 }]) {
    expect(unfinishedOf({ ...file, ...other }, [TALK])).toBeUndefined();
  }
});

test("a page finds what became of uploads that no window sends", async () => {
  const answers: Record<string, Response> = {
    "/half": new Response("", { headers: { "upload-offset": "2" } }),
    "/whole": new Response("", { headers: { "upload-offset": "5", "maie-job-id": "job" } }),
    "/old": new Response("", { status: 410 }),
  };
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, { method }: RequestInit) => {
    asked.push(`${method} ${path}`);
    return answers[path];
  });
  for (const address of Object.keys(answers)) note({ ...TALK, id: address, address });
  note({ ...TALK, id: "recorded", address: "/recorded", kept: true });
  await findInterrupted(new AbortController().signal);
  expect(interrupted.value.map(({ address, fraction }) => [address, fraction])).toEqual([
    ["/half", 0.4],
    ["/old", null],
  ]);
  expect(followed.value).toEqual(["job"]);
  for (const each of interrupted.value) await dropInterrupted(each);
  expect(allUnfinished().map(({ id }) => id)).toEqual(["recorded"]);
  expect(asked).toEqual(["HEAD /half", "HEAD /whole", "HEAD /old", "DELETE /half"]);
});

test("a summary as speech comes with its summary, and goes with it", () => {
  expect(toggled(["raw_transcript"], "digest")).toEqual(["summary", "digest", "raw_transcript"]);
  expect(toggled(["summary", "digest", "raw_transcript"], "summary")).toEqual(["raw_transcript"]);
  expect(toggled(["summary", "digest"], "digest")).toEqual(["summary"]);
  expect(toggled(["summary"], "speakers")).toEqual(["summary", "speakers"]);
});
