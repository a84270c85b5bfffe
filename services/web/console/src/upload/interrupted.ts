import { Store } from "../store";
import { claimed } from "./claims";
import { follow } from "./followed";
import { remainsOf, remove } from "./requests";
import { allUnfinished, forget, type Unfinished } from "./unfinished";

export interface Interrupted extends Unfinished {
  /** The share that the server has, 0 to 1; null where the upload has expired. */
  fraction: number | null;
}

/** The uploads whose page was closed, and whose files have to be chosen again. */
export const interrupted = new Store<readonly Interrupted[]>([]);

/** Looks for uploads that no window sends, and for what became of them. */
export async function findInterrupted(signal: AbortSignal): Promise<true> {
  const busy = await claimed();
  const left = allUnfinished().filter((each) => !each.kept && !busy.has(each.id));
  const found = await Promise.all(left.map((each) => withProgress(each, signal)));
  interrupted.set(found.filter((each) => each !== null));
  return true;
}

async function withProgress(upload: Unfinished, signal: AbortSignal): Promise<Interrupted | null> {
  const remains = await remainsOf(upload.address, signal);
  if (!remains) return { ...upload, fraction: null };
  if (!remains.jobId) return { ...upload, fraction: remains.offset / upload.size };
  follow([remains.jobId]);
  forget(upload.id);
  return null;
}

/** Removes an upload whose page was closed, and what the server has of it. */
export async function dropInterrupted({ id, address, fraction }: Interrupted): Promise<void> {
  if (fraction !== null) await remove(address);
  forget(id);
  takeOut([id]);
}

export function takeOut(ids: readonly string[]): void {
  interrupted.set(interrupted.value.filter((each) => !ids.includes(each.id)));
}
