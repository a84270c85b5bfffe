import { api } from "../api/client";
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

/** Follows what runs on the server already. */
export async function followRunning(signal: AbortSignal): Promise<true> {
  const query = new URLSearchParams(RUNNING.map((state) => ["state", state]));
  follow((await api.jobs(query, signal)).jobs.map((job) => job.job_id));
  return true;
}
