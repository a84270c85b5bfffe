import type { Correction } from "../../api/types";

/** Corrections that are not saved yet, which this browser keeps over a reload. */
export interface Unsaved {
  base: number;
  edits: Correction[];
}

const nameOf = (id: string) => `maie.unsaved.${id}`;

export function keptUnsaved(id: string): Unsaved | null {
  try {
    const found = JSON.parse(localStorage.getItem(nameOf(id)) ?? "null") as Partial<Unsaved> | null;
    return typeof found?.base === "number" && Array.isArray(found.edits)
      ? { base: found.base, edits: found.edits }
      : null;
  } catch {
    // Storage is switched off, or holds something else.
    return null;
  }
}

export function keepUnsaved(id: string, unsaved: Unsaved): void {
  try {
    if (unsaved.edits.length) localStorage.setItem(nameOf(id), JSON.stringify(unsaved));
    else localStorage.removeItem(nameOf(id));
  } catch {
    // Storage is full or switched off: the corrections last as long as the page.
  }
}
