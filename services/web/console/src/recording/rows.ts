import type { JobResults, Segment, SuspectText, Warning } from "../api/types";
import { endOf, startOf } from "../format";

/** A line of the transcript: what was said, and whether its speaker begins to speak; or a note about a place. */
export type Row =
  | { kind: "segment"; key: string; start: number; end: number; segment: Segment; begins: boolean }
  | { kind: "warning"; key: string; start: number; end: number; warning: Warning }
  | { kind: "suspect"; key: string; start: number; end: number; suspect: SuspectText };

/** The lines of a transcript in the order of the recording; notes stand before what follows them. */
export function rowsOf(results: JobResults): Row[] {
  const rows: Row[] = [
    ...results.warnings
      .filter((warning) => warning.range && !isShown(warning, results.suspect_texts))
      .map((warning, index) => row("warning", `w${index}`, warning.range, { warning })),
    ...results.suspect_texts.map((suspect, index) => row("suspect", `t${index}`, suspect.range, { suspect })),
    ...results.segments.map((segment) =>
      row("segment", segment.segment_id, segment, { segment, begins: false }),
    ),
  ];
  rows.sort((one, other) => one.start - other.start);
  let before: string | undefined;
  for (const each of rows) {
    if (each.kind !== "segment") continue;
    each.begins = each.segment.speaker !== before;
    before = each.segment.speaker;
  }
  return rows;
}

/** Whether the texts that were left out, which are lines of their own, show it already. */
function isShown({ reason, range }: Warning, suspects: readonly SuspectText[]): boolean {
  const [start, end] = [startOf(range), endOf(range)];
  const isWithin = (each: SuspectText) => startOf(each.range) >= start && endOf(each.range) <= end;
  return reason === "TEXT_REMOVED" && suspects.some((each) => each.removed && isWithin(each));
}

function row(kind: Row["kind"], key: string, range: Parameters<typeof startOf>[0], content: object): Row {
  return { kind, key, start: startOf(range), end: endOf(range), ...content } as Row;
}

/** The segments among the lines of a transcript. */
export function segmentsOf(rows: readonly Row[]): Segment[] {
  return rows.flatMap((each) => (each.kind === "segment" ? [each.segment] : []));
}

/** The index of the last of these, which are in order, that has begun at a time; -1 before all. */
export function lastBegun(parts: readonly { start: number }[], time: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle]?.start ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
