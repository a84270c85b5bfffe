import { api, Problem } from "../api/client";
import type { Job } from "../api/types";
import { isFinal } from "../format";
import { Store } from "../store";

/** The jobs that uploads of this window became, or that ran when it was opened; the newest first. */
export const followed = new Store<readonly string[]>([]);

export function follow(ids: readonly string[]): void {
  const fresh = ids.filter((id) => !followed.value.includes(id));
  if (fresh.length) followed.set([...fresh, ...followed.value]);
}

export function unfollow(id: string): void {
  followed.set(followed.value.filter((each) => each !== id));
}

const RUNNING = ["PENDING", "PREPROCESSING", "PROCESSING_ASR", "PROCESSING_LLM"];
const MOST_SHOWN = 50;
const MOST_LISTED = 1000;

/** Follows what runs on the server already. */
export async function followRunning(signal: AbortSignal): Promise<true> {
  follow((await running(MOST_SHOWN, signal)).map((job) => job.job_id));
  return true;
}

/**
 * The jobs that are followed, as they are now. One request says it of all that run, and another one of each that has
 * ended since. Those that were deleted are followed no longer.
 */
export async function followedNow(
  before: ReadonlyMap<string, Job>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Job>> {
  const ids = followed.value;
  const open = ids.filter((id) => !isEnded(before.get(id)));
  const listed = open.length > 1 ? await running(MOST_LISTED, signal) : [];
  const runs = new Map(listed.map((job) => [job.job_id, job]));
  const now = await Promise.all(open.map(async (id) => runs.get(id) ?? (await existing(id, signal))));
  const fresh = new Map(now.filter((job) => job !== null).map((job) => [job.job_id, job]));
  for (const id of open) if (!fresh.has(id)) unfollow(id);
  return new Map([...before, ...fresh]);
}

export function isEnded(job: Job | undefined): boolean {
  return job !== undefined && isFinal(job.state);
}

async function running(most: number, signal: AbortSignal): Promise<Job[]> {
  const query = new URLSearchParams(RUNNING.map((state) => ["state", state]));
  query.set("page_size", String(most));
  return (await api.jobs(query, signal)).jobs;
}

async function existing(id: string, signal: AbortSignal): Promise<Job | null> {
  try {
    return await api.job(id, signal);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}
