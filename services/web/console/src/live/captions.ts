import { seconds } from "../format";
import type { LiveEvent } from "./events";

/** The text of an utterance. */
export interface Line {
  id: string;
  track: string;
  /** Seconds from the session's beginning. */
  start: number;
  text: string;
}

/** What is being said on a track: a part that stays, and a part that may change. */
export interface Unfinished {
  id: string;
  stable: string;
  rest: string;
}

export interface Captions {
  /** In the order of their times. */
  lines: readonly Line[];
  unfinished: Readonly<Record<string, Unfinished>>;
}

export const NOTHING_SAID: Captions = { lines: [], unfinished: {} };

/** The captions after an event. */
export function heard(captions: Captions, event: LiveEvent): Captions {
  const { partial, final, refinement } = event;
  if (partial) {
    if (captions.lines.some((line) => line.id === partial.utterance_id)) return captions;
    const { utterance_id: id, stable_text: stable, unstable_text: rest } = partial;
    return { ...captions, unfinished: { ...captions.unfinished, [partial.track]: { id, stable, rest } } };
  }
  if (final) {
    const { segment_id: id, text } = final.segment;
    const line = { id, track: final.track, start: seconds(final.segment.start_offset), text };
    const { [final.track]: said, ...others } = captions.unfinished;
    const unfinished = said && said.id !== id ? captions.unfinished : others;
    return { lines: text.trim() ? inserted(captions.lines, line) : captions.lines, unfinished };
  }
  if (refinement) {
    const lines = captions.lines.map((line) =>
      line.id === refinement.utterance_id ? { ...line, text: refinement.clean_text } : line,
    );
    return { ...captions, lines };
  }
  // What was not finished when the connection broke comes again, maybe divided.
  return event.started ? { ...captions, unfinished: {} } : captions;
}

function inserted(lines: readonly Line[], line: Line): Line[] {
  const place = lines.findLastIndex((each) => each.start <= line.start) + 1;
  return [...lines.slice(0, place), line, ...lines.slice(place)];
}
