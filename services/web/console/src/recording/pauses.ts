import { endOf, startOf } from "../format";
import { lastBegun, type Row } from "./rows";

/** A shorter pause belongs to how somebody speaks. */
const SHORTEST_SECONDS = 1.5;
/** What of a pause is heard before and after it, since times of words are not exact. */
const HEARD_SECONDS = 0.35;

export type Pause = { start: number; end: number };

/**
 * The pauses of a recording that may be skipped, in order. What a note is about is none: there may be
 * speech that nobody has read.
 */
export function pausesOf(rows: readonly Row[], duration: number): Pause[] {
  const heard = rows.flatMap(soundOf).sort((one, other) => one.start - other.start);
  const pauses: Pause[] = [];
  let end = 0;
  for (const sound of [...heard, { start: duration, end: duration }]) {
    if (sound.start - end >= SHORTEST_SECONDS) {
      pauses.push({ start: end + HEARD_SECONDS, end: sound.start - HEARD_SECONDS });
    }
    end = Math.max(end, sound.end);
  }
  return pauses;
}

/** Where playing goes on from a time: the end of the pause that it is in. */
export function after(pauses: readonly Pause[], time: number): number {
  const pause = pauses[lastBegun(pauses, time)];
  return pause && time < pause.end ? pause.end : time;
}

function soundOf(row: Row): Pause[] {
  const spoken = row.kind === "segment" ? row.segment.words : [];
  return spoken.length > 0
    ? spoken.map((word) => ({ start: startOf(word), end: endOf(word) }))
    : [{ start: row.start, end: row.end }];
}
