import type { Moment } from "../api/types";

/** A summary repeats sentences of the transcript: each moment stands once, where it was found first. */
export function distinct(moments: readonly Moment[]): Moment[] {
  const seen = new Set<string>();
  return moments.filter((each) => {
    const where = `${each.range?.start_offset} ${each.snippet}`;
    if (seen.has(where)) return false;
    seen.add(where);
    return true;
  });
}
