import { api, documentToProblem, Problem, problemOf, toLogin } from "../api/client";
import type { Feature, Job } from "../api/types";
import { discard } from "../recorder/recorder";
import { Store } from "../store";
import { words } from "../words";

/** What to make of the recordings. */
export interface Choice {
  features: Feature[];
  template: string;
  /** BCP-47; empty where it is to be detected. */
  language: string;
}

export interface Upload {
  id: string;
  file: File;
  choice: Choice;
  state: "waiting" | "sending" | "failed";
  /** The share that was sent, 0 to 1. */
  fraction: number;
  problem: Problem | null;
  /** What to do once it is sent. */
  sent?: () => Promise<void>;
}

// More at a time would only share the same line.
const AT_A_TIME = 2;

/** Uploads go on while other pages of the console are open. */
export const uploads = new Store<readonly Upload[]>([]);
/** The jobs that uploads of this window became, or that ran when it was opened; the newest first. */
export const followed = new Store<readonly string[]>([]);
const requests = new Map<string, XMLHttpRequest>();

export function add(files: readonly File[], choice: Choice): void {
  addUploads(files.map((file) => ({ id: crypto.randomUUID(), file, choice, ...FRESH })));
}

/** Adds what was recorded in this browser, which keeps it until it is sent. */
export function addKept(id: string, file: File, choice: Choice): void {
  // The id names the request as well, so that a recording that is sent again is not made twice.
  addUploads([{ id, file, choice, ...FRESH, sent: () => discard(id) }]);
}

function addUploads(added: readonly Upload[]): void {
  uploads.set([...uploads.value, ...added]);
  sendNext();
}

const FRESH = { state: "waiting", fraction: 0, problem: null } as const;

export function again(id: string): void {
  change(id, FRESH);
  sendNext();
}

export function drop(id: string): void {
  requests.get(id)?.abort();
  requests.delete(id);
  uploads.set(uploads.value.filter((each) => each.id !== id));
  sendNext();
}

export function follow(ids: readonly string[]): void {
  const fresh = ids.filter((id) => !followed.value.includes(id));
  if (fresh.length) followed.set([...fresh, ...followed.value]);
}

export function unfollow(id: string): void {
  followed.set(followed.value.filter((each) => each !== id));
}

const RUNNING = ["PENDING", "PREPROCESSING", "PROCESSING_ASR", "PROCESSING_LLM"];

/** Follows what runs on the server already. */
export async function followRunning(signal: AbortSignal): Promise<true> {
  const query = new URLSearchParams(RUNNING.map((state) => ["state", state]));
  follow((await api.jobs(query, signal)).jobs.map((job) => job.job_id));
  return true;
}

function change(id: string, to: Partial<Upload>): void {
  uploads.set(uploads.value.map((each) => (each.id === id ? { ...each, ...to } : each)));
}

function sendNext(): void {
  const free = AT_A_TIME - requests.size;
  const waiting = uploads.value.filter((each) => each.state === "waiting");
  for (const upload of waiting.slice(0, Math.max(0, free))) void send(upload);
}

async function send(upload: Upload): Promise<void> {
  change(upload.id, { state: "sending" });
  try {
    const job = await post(upload);
    follow([job.job_id]);
    await upload.sent?.();
    uploads.set(uploads.value.filter((each) => each.id !== upload.id));
  } catch (error) {
    const problem = problemOf(error);
    change(upload.id, { state: "failed", problem });
    if (problem.status === 401) toLogin();
  } finally {
    requests.delete(upload.id);
    sendNext();
  }
}

/** Sends with XMLHttpRequest, as fetch does not report how much was sent. */
function post(upload: Upload): Promise<Job> {
  const request = new XMLHttpRequest();
  requests.set(upload.id, request);
  request.open("POST", "/v1/process");
  request.setRequestHeader("idempotency-key", upload.id);
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) change(upload.id, { fraction: event.loaded / event.total });
  };
  return new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText) as Job);
      else reject(documentToProblem(request.status, request.responseText));
    };
    request.onerror = () => reject(new Problem(0, "UNREACHABLE", words.value.problem.unreachable));
    request.onabort = () => reject(new Problem(0, "STOPPED", ""));
    request.send(formOf(upload.file, upload.choice));
  });
}

/** The form of POST /v1/process. The file is last, so that a wrong field is refused before it is sent. */
export function formOf(file: File, choice: Choice): FormData {
  const form = new FormData();
  form.set("features", choice.features.join(","));
  if (choice.features.includes("summary")) form.set("template_id", choice.template);
  if (choice.language)
    form.set("options", JSON.stringify({ asr_options: { language_code: choice.language } }));
  form.set("file", file);
  return form;
}
