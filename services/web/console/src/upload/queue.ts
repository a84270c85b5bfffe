import { type Problem, problemOf } from "../api/client";
import type { Feature } from "../api/types";
import { newId } from "../ids";
import { discard } from "../recorder/recorder";
import { Store } from "../store";
import { claim, release } from "./claims";
import { follow } from "./followed";
import { type Interrupted, interrupted, takeOut } from "./interrupted";
import { remove } from "./requests";
import type { SpeakerCount } from "./speaker_count";
import { Transfer } from "./transfer";
import { allUnfinished, forget, note, unfinishedOf } from "./unfinished";

/** What to make of the recordings. */
export interface Choice {
  features: Feature[];
  template: string;
  /** BCP-47; empty where it is to be detected. */
  language: string;
  /** How many speakers there are; unset where nobody said so. */
  speakers?: SpeakerCount;
  /** The text that should have been read; unset where nobody gave one. */
  readingText?: string;
}

export interface Upload {
  id: string;
  file: File;
  choice: Choice;
  /** A paused one goes on by itself. */
  state: "waiting" | "sending" | "paused" | "failed";
  /** The share that was sent, 0 to 1. */
  fraction: number;
  problem: Problem | null;
  /** Where it is on the server; empty before it begins. */
  address: string;
  /** Whether it began anew, as what the server had of it has expired. */
  anew: boolean;
  /** What to do once it is sent. */
  sent?: () => Promise<void>;
}

// More at a time would only share the same line.
const AT_A_TIME = 2;

/** Uploads go on while other pages of the console are open. */
export const uploads = new Store<readonly Upload[]>([]);
const transfers = new Map<string, Transfer>();

/** Whether something would be interrupted if the window were closed. */
export function isSending(all: readonly Upload[]): boolean {
  return all.some((each) => each.state !== "failed");
}

/** Sends files. One that was being sent when its page was closed goes on, with what was chosen for it then. */
export function add(files: readonly File[], choice: Choice): void {
  addUploads(
    files.map((file) => {
      const before = unfinishedOf(file, interrupted.value);
      return before ? goingOn(file, before) : { id: newId(), file, choice, ...FRESH };
    }),
  );
}

function goingOn(file: File, { id, choice, address, fraction }: Interrupted): Upload {
  const upload = { id, file, choice, ...FRESH };
  return fraction === null ? { ...upload, anew: true } : { ...upload, address, fraction };
}

/** Adds what was recorded in this browser, which keeps it until it is sent. */
export function addKept(id: string, file: File, choice: Choice): void {
  // The id names the request as well, so that a recording that is sent again is not made twice.
  const before = allUnfinished().find((each) => each.id === id);
  const kept = before ? { choice: before.choice, address: before.address } : { choice };
  addUploads([{ id, file, ...FRESH, ...kept, sent: () => discard(id) }]);
}

const FRESH = { state: "waiting", fraction: 0, problem: null, address: "", anew: false } as const;

function addUploads(added: readonly Upload[]): void {
  const ids = added.map((each) => each.id);
  ids.forEach(claim);
  takeOut(ids);
  uploads.set([...uploads.value, ...added]);
  sendNext();
}

export function again(id: string): void {
  change(id, { state: "waiting", problem: null });
  sendNext();
}

/** Has paused uploads go on at once, as after a login. */
export function goOn(): void {
  for (const transfer of transfers.values()) transfer.goOn();
}

export function drop(id: string): void {
  const transfer = transfers.get(id);
  const address = uploads.value.find((each) => each.id === id)?.address;
  transfer?.stop();
  // What cannot be removed now expires by itself.
  if (!transfer && address) remove(address).catch(() => undefined);
  forget(id);
  takeAway(id);
}

function takeAway(id: string): void {
  transfers.delete(id);
  release(id);
  uploads.set(uploads.value.filter((each) => each.id !== id));
  sendNext();
}

function change(id: string, to: Partial<Upload>): void {
  uploads.set(uploads.value.map((each) => (each.id === id ? { ...each, ...to } : each)));
}

function sendNext(): void {
  const free = AT_A_TIME - transfers.size;
  const waiting = uploads.value.filter((each) => each.state === "waiting");
  for (const upload of waiting.slice(0, Math.max(0, free))) send(upload);
}

function send({ id, file, choice, address, sent }: Upload): void {
  const transfer = new Transfer(
    { file, key: id, choice, address },
    {
      begun: (at) => {
        change(id, { address: at });
        const { name, size, lastModified: changed } = file;
        note({ id, address: at, name, size, changed, choice, kept: sent !== undefined });
      },
      expired: () => change(id, { anew: true }),
      progress: (fraction) => change(id, { state: "sending", fraction, problem: null }),
      paused: (problem) => change(id, { state: "paused", problem }),
      sent: (jobId) => void finish(id, jobId, sent),
      failed: (problem) => fail(id, problem),
    },
  );
  transfers.set(id, transfer);
  change(id, { state: "sending" });
  transfer.start();
}

async function finish(id: string, jobId: string, sent?: () => Promise<void>): Promise<void> {
  follow([jobId]);
  forget(id);
  try {
    await sent?.();
    takeAway(id);
  } catch (error) {
    fail(id, problemOf(error));
  }
}

function fail(id: string, problem: Problem): void {
  transfers.delete(id);
  change(id, { state: "failed", problem });
  sendNext();
}
