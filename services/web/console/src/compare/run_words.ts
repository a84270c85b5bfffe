import type { JobResults, Segment } from "../api/types";
import { endOf, startOf } from "../format";
import { timedWords } from "../recording/words";

/** A word of a run's transcript. */
export interface RunWord {
  text: string;
  /** What it is compared by: case and punctuation are no difference. */
  key: string;
  start: number;
  end: number;
  /** Whether a line begins with it. */
  first: boolean;
  /** Who speaks from here on; unset where the one before goes on, and where speakers were not asked for. */
  speaker?: string | undefined;
}

/** The words of a run's transcript in the order of the recording. */
export function wordsOf(results: JobResults | undefined): RunWord[] {
  const words = (results?.segments ?? []).flatMap(wordsOfLine);
  words.sort((one, other) => one.start - other.start);
  let before: string | undefined;
  return words.map(({ speaker, ...word }) => {
    if (!speaker || speaker === before) return word;
    before = speaker;
    return { ...word, speaker };
  });
}

function wordsOfLine(segment: Segment): RunWord[] {
  const shown = segment.clean_text ?? segment.text;
  const timed = segment.words.length > 0 ? timedWords(shown, segment.words) : spread(segment, shown);
  const found: RunWord[] = [];
  for (const { text, start, end } of timed) {
    const key = text.toLocaleLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
    const before = found.at(-1);
    if (key || !before) {
      found.push({ text, key: key || text, start, end, first: !before, speaker: segment.speaker });
    } else {
      // A dash between spaces is no word.
      before.text += ` ${text}`;
      before.end = end;
    }
  }
  return found;
}

/** Words without times of their own, evenly over the time of their line. */
function spread(segment: Segment, shown: string) {
  const tokens = shown.split(/\s+/).filter(Boolean);
  const start = startOf(segment);
  const step = (endOf(segment) - start) / (tokens.length || 1);
  return tokens.map((text, index) => ({
    text,
    start: start + index * step,
    end: start + (index + 1) * step,
  }));
}
