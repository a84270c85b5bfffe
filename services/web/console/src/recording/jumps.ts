import { useMemo, useState } from "preact/hooks";
import type { Citation, TimeRange } from "../api/types";
import { endOf, startOf } from "../format";
import type { Pause } from "./pauses";
import type { Playback } from "./playback";

export interface Jumps {
  /** How many there were; the transcript goes to the place after each. */
  count: number;
  /** The item of the summary that is chosen, as a JSON Pointer. */
  chosen: string;
  /** The segments that it comes from. */
  lit: ReadonlySet<string>;
  /** The moments that it comes from. */
  cited: readonly Pause[];
  jumpTo: (time: number) => void;
  jump: (citation: Citation) => void;
}

/** Leads from items of a summary to the moments that they come from. */
export function useJumps(playback: Playback): Jumps {
  const [chosen, setChosen] = useState<Citation | null>(null);
  const [count, setCount] = useState(0);
  const lit = useMemo(() => new Set(chosen?.segment_ids), [chosen]);
  const cited = useMemo(() => (chosen?.ranges ?? []).map(spanOf), [chosen]);
  function jumpTo(time: number): void {
    playback.seek(time);
    setCount((before) => before + 1);
  }
  function jump(citation: Citation): void {
    setChosen(citation);
    jumpTo(startOf(citation.ranges[0]));
  }
  return { count, chosen: chosen?.pointer ?? "", lit, cited, jumpTo, jump };
}

function spanOf(range: TimeRange): Pause {
  return { start: startOf(range), end: endOf(range) };
}
