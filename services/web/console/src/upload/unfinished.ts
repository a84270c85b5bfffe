import type { Choice } from "./queue";

/** An upload that is not whole, which this browser notes so that it goes on after the page was closed. */
export interface Unfinished {
  /** Names the upload, as its Idempotency-Key does. */
  id: string;
  /** Where the upload is on the server. */
  address: string;
  name: string;
  size: number;
  /** When the file was changed, in milliseconds since 1970. */
  changed: number;
  choice: Choice;
  /** Whether this browser keeps the file itself, as it does what it recorded. */
  kept: boolean;
}

const NAME = "maie.unfinished";

/** What this browser has noted; nothing where it keeps nothing. */
export function allUnfinished(): Unfinished[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter(isUnfinished) : [];
  } catch {
    // Storage is switched off, or holds something else.
    return [];
  }
}

export function note(upload: Unfinished): void {
  write([...allUnfinished().filter((each) => each.id !== upload.id), upload]);
}

export function forget(id: string): void {
  write(allUnfinished().filter((each) => each.id !== id));
}

/** The upload that a file belongs to, by what tells files apart without reading them. */
export function unfinishedOf<Of extends Unfinished>(
  file: Pick<File, "name" | "size" | "lastModified">,
  among: readonly Of[],
): Of | undefined {
  return among.find(
    (each) => each.name === file.name && each.size === file.size && each.changed === file.lastModified,
  );
}

function write(all: readonly Unfinished[]): void {
  try {
    if (all.length) localStorage.setItem(NAME, JSON.stringify(all));
    else localStorage.removeItem(NAME);
  } catch {
    // Storage is full or switched off: uploads go on for as long as the page is open.
  }
}

function isUnfinished(value: unknown): value is Unfinished {
  const each = value as Partial<Unfinished> | null;
  const texts = [each?.id, each?.address, each?.name];
  return texts.every((text) => typeof text === "string") && Array.isArray(each?.choice?.features);
}
