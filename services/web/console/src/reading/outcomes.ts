import type { Reading, ReadWord } from "../api/findings";
import { endOf, seconds, startOf } from "../format";

/** From here on the audio fits the word better than another one. */
export const EVEN_SCORE = 0.5;
/** So many words are drawn as one. */
const WORDS_IN_BLOCK = 120;

/** What became of a word; one that counts as read may sound otherwise. */
export const KINDS = [
  "correct",
  "doubtful",
  "wrong",
  "skipped",
  "not_reached",
  "inserted",
  "repeated",
  "filler",
] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf({ outcome, score }: Pick<ReadWord, "outcome" | "score">): Kind {
  const kind = outcome.toLowerCase() as Kind;
  return kind === "correct" && score !== undefined && score < EVEN_SCORE ? "doubtful" : kind;
}

/** Whether a word is worth a look: not read as it is written, or doubtful. */
export function differs(word: ReadWord): boolean {
  return !["correct", "not_reached"].includes(kindOf(word));
}

/** When a word or a sound was spoken; null for what was not. */
export function spanOf({ range }: { range?: ReadWord["range"] }): { start: number; end: number } | null {
  return range ? { start: startOf(range), end: Math.max(startOf(range), endOf(range)) } : null;
}

/** The pauses that no punctuation asks for, in seconds, by the index of the word before. */
export function hesitationsOf({ words, pauses }: Pick<Reading, "words" | "pauses">): Map<number, number> {
  const ends = new Map(
    words.flatMap((word, index) => (word.range ? [[moment(endOf(word.range)), index]] : [])),
  );
  const found = new Map<number, number>();
  for (const { range, hesitation } of pauses) {
    const index = hesitation ? ends.get(moment(startOf(range))) : undefined;
    if (index !== undefined) found.set(index, endOf(range) - startOf(range));
  }
  return found;
}

function moment(time: number): number {
  return Math.round(1e6 * time);
}

/** Words in order that are drawn together. */
export interface Block {
  from: number;
  to: number;
}

/** Blocks of words; where one can, it ends with a phrase. */
export function blocksOf(words: readonly ReadWord[]): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  words.forEach(({ ends_phrase }, index) => {
    const size = index + 1 - from;
    if (size < WORDS_IN_BLOCK || !(ends_phrase || size >= 2 * WORDS_IN_BLOCK)) return;
    blocks.push({ from, to: index + 1 });
    from = index + 1;
  });
  if (from < words.length) blocks.push({ from, to: words.length });
  return blocks;
}

/** The spoken words in the order of time, each with its index. */
export function spokenOf(words: readonly ReadWord[]): { start: number; end: number; index: number }[] {
  const spoken = words.flatMap((word, index) => {
    const span = spanOf(word);
    return span ? [{ ...span, index }] : [];
  });
  return spoken.sort((one, other) => one.start - other.start);
}

/** How many pauses there are, how long they are together, and how many words were not reached. */
export function countsOf({ words, pauses }: Pick<Reading, "words" | "pauses">) {
  return {
    unreached: words.filter(({ outcome }) => outcome === "NOT_REACHED").length,
    pauses: pauses.length,
    pauseSeconds: pauses.reduce((sum, { range }) => sum + endOf(range) - startOf(range), 0),
  };
}

export const readingSeconds = ({ figures }: Reading): number => seconds(figures?.duration);
