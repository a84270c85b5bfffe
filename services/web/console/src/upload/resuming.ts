import { documentToProblem, Problem } from "../api/client";
import { words } from "../words";
import type { Choice } from "./queue";
import { speakerOptions } from "./speaker_count";

const UNREACHABLE = "UNREACHABLE";
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** After so long without a sign of life, a connection is taken for broken. */
export const SILENCE_MS = 30_000;
// The server reads the whole recording once more before it is a job; no disk is slower than this.
const SLOWEST_BYTES_A_MS = 10_000;
// Somebody has to log in, a request was too slow, the upload is in use.
const PASSING = [401, 408, 423];
// What an upload goes on from, once it has asked how far it is.
const OUTDATED = ["UPLOAD_OFFSET_WRONG", "UPLOAD_FINISHED"];

/** How long to wait after so many breaks in a row. */
export function pauseMs(breaks: number, problem: Problem): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** breaks, LONGEST_PAUSE_MS);
  return Math.max(pause, 1000 * (problem.retryAfterSeconds ?? 0));
}

/** Whether an upload goes on by itself after a problem. */
export function isPassing({ status, reason, retryAfterSeconds }: Problem): boolean {
  if (status === 0) return reason === UNREACHABLE;
  const isSoon = status >= 500 || PASSING.includes(status) || OUTDATED.includes(reason);
  return isSoon || retryAfterSeconds !== null;
}

/**
 * After how long without a sign of life a connection is taken for broken, as browsers wait for an hour.
 *
 * Of an upload that is sent to its end the server makes a job, which takes the longer the larger it is.
 */
export function silenceMs(size: number, isSent: boolean): number {
  return SILENCE_MS + (isSent ? size / SLOWEST_BYTES_A_MS : 0);
}

/** What tus-js-client has of an answer. */
export interface Answer {
  getStatus(): number;
  getHeader(name: string): string | undefined;
  getBody(): string;
}

/** The problem of an answer, which has its document unless it answers HEAD. */
export function problemIn(answer: Answer): Problem {
  const found = documentToProblem(answer.getStatus(), answer.getBody());
  const seconds = Number.parseInt(answer.getHeader("retry-after") ?? "", 10);
  return Number.isNaN(seconds) ? found : new Problem(found.status, found.reason, found.message, seconds);
}

export function unreachable(): Problem {
  return new Problem(0, UNREACHABLE, words.value.problem.unreachable);
}

/** What is to be done with a file, as tus carries it. */
export function metadataOf(file: File, choice: Choice): Record<string, string> {
  const metadata: Record<string, string> = { filename: file.name, features: choice.features.join(",") };
  if (choice.features.includes("summary")) metadata.template_id = choice.template;
  const speakers = choice.features.includes("speakers") && choice.speakers && speakerOptions(choice.speakers);
  const chosen = {
    ...(choice.language ? { asr_options: { language_code: choice.language } } : {}),
    ...(speakers ? { speaker_options: speakers } : {}),
  };
  if (Object.keys(chosen).length > 0) metadata.options = JSON.stringify(chosen);
  return metadata;
}
