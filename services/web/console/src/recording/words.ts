import type { Word } from "../api/types";
import { endOf, startOf } from "../format";

/** A word of the text that people read, with where it was spoken. */
export interface TimedWord {
  text: string;
  start: number;
  end: number;
  confidence: number | null;
}

/** Gives the words of a text the times of the recogniser's words, of which cleaning may have changed some.
 *
 * Words that both have, in the same order, are paired (longest common subsequence); one that only the
 * text has takes the time of the word before it.
 */
export function timedWords(text: string, words: readonly Word[]): TimedWord[] {
  const tokens = text.split(/\s+/).filter(Boolean);
  const pairs = paired(
    tokens.map(plain),
    words.map((word) => plain(word.word)),
  );
  let last = words[0];
  return tokens.map((token, index) => {
    const pair = pairs[index] ?? -1;
    const word = words[pair];
    last = word ?? last;
    return {
      text: token,
      start: startOf(last),
      end: endOf(last),
      confidence: word?.confidence ?? null,
    };
  });
}

function plain(word: string): string {
  return word.toLocaleLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** For each of `texts`, the index of its equal in `words`, or -1: the longest common subsequence. */
export function paired(texts: readonly string[], words: readonly string[]): number[] {
  const width = words.length + 1;
  const lengths = new Uint16Array((texts.length + 1) * width);
  const length = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = texts.length - 1; row >= 0; row--) {
    for (let column = words.length - 1; column >= 0; column--) {
      lengths[row * width + column] =
        texts[row] === words[column]
          ? length(row + 1, column + 1) + 1
          : Math.max(length(row + 1, column), length(row, column + 1));
    }
  }
  let column = 0;
  return texts.map((text, row) => {
    const most = length(row, column);
    const pair = words.findIndex(
      (word, index) => index >= column && word === text && length(row + 1, index + 1) + 1 === most,
    );
    if (pair >= 0) column = pair + 1;
    return pair;
  });
}
