const LOCK = "maie.upload.";
const releases = new Map<string, () => void>();

/** Shows other windows that this one sends an upload. */
export function claim(id: string): void {
  if (releases.has(id)) return;
  const ended = new Promise<void>((release) => releases.set(id, release));
  void navigator.locks?.request(LOCK + id, () => ended);
}

export function release(id: string): void {
  releases.get(id)?.();
  releases.delete(id);
}

/** The uploads that some window sends; where the browser has no locks, those of this window. */
export async function claimed(): Promise<ReadonlySet<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(LOCK));
  return new Set([...releases.keys(), ...names.map((name) => name.slice(LOCK.length))]);
}
