import { seconds } from "../format";
import type { LiveEvent, SpeakerLabels } from "./events";

/** The text of an utterance. */
export interface Line {
  id: string;
  track: string;
  /** Seconds from the session's beginning. */
  start: number;
  text: string;
  words: readonly string[];
  /** Who says what of it, once that is known. */
  parts: readonly Part[];
}

/** What one speaker says of a line. */
export interface Part {
  /** Such as "S1". */
  speaker: string;
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
  const { partial, final, refinement, speaker_labels: labels, speaker_update: update } = event;
  if (partial) {
    if (captions.lines.some((line) => line.id === partial.utterance_id)) return captions;
    const { utterance_id: id, stable_text: stable, unstable_text: rest } = partial;
    return { ...captions, unfinished: { ...captions.unfinished, [partial.track]: { id, stable, rest } } };
  }
  if (final) {
    const { segment_id: id, text } = final.segment;
    const start = seconds(final.segment.start_offset);
    const spoken = (final.segment.words ?? []).map((each) => each.word);
    const line = { id, track: final.track, start, text, words: spoken, parts: [] };
    const { [final.track]: said, ...others } = captions.unfinished;
    const unfinished = said && said.id !== id ? captions.unfinished : others;
    return { lines: text.trim() ? inserted(captions.lines, line) : captions.lines, unfinished };
  }
  if (refinement) {
    const lines = captions.lines.map((line) =>
      line.id === refinement.utterance_id ? refined(line, refinement.clean_text) : line,
    );
    return { ...captions, lines };
  }
  if (labels) {
    const lines = captions.lines.map((line) =>
      line.id === labels.utterance_id ? { ...line, parts: partsOf(line, labels) } : line,
    );
    return { ...captions, lines };
  }
  if (update) {
    const named = (part: Part) => (part.speaker === update.old ? { ...part, speaker: update.new } : part);
    const lines = captions.lines.map((line) => ({ ...line, parts: joined(line.parts.map(named)) }));
    return { ...captions, lines };
  }
  // What was not finished when the connection broke comes again, maybe divided.
  return event.started ? { ...captions, unfinished: {} } : captions;
}

function refined(line: Line, text: string): Line {
  // Where several say it, nobody knows which of the new words are whose.
  const parts = line.parts.length === 1 ? line.parts.map((part) => ({ ...part, text })) : line.parts;
  return { ...line, text, parts };
}

/** Who says what of a line: all of it where one does, as it is written, and otherwise word by word. */
function partsOf(line: Line, labels: SpeakerLabels): Part[] {
  const speakers = labels.words.map((each) => each.speaker);
  if (new Set(speakers).size < 2 || speakers.length !== line.words.length) {
    return [{ speaker: labels.speaker, text: line.text }];
  }
  return joined(speakers.map((speaker, place) => ({ speaker, text: line.words[place]?.trim() ?? "" })));
}

/** The same, where what one speaker says without a break is one part. */
function joined(parts: readonly Part[]): Part[] {
  const made: Part[] = [];
  for (const part of parts) {
    const last = made.at(-1);
    if (last?.speaker === part.speaker) {
      made[made.length - 1] = { ...last, text: `${last.text} ${part.text}` };
    } else made.push(part);
  }
  return made;
}

function inserted(lines: readonly Line[], line: Line): Line[] {
  const place = lines.findLastIndex((each) => each.start <= line.start) + 1;
  return [...lines.slice(0, place), line, ...lines.slice(place)];
}
