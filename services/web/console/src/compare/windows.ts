import type { RunWord } from "./run_words";

/** How long a window is at least, and at most, in seconds. */
const SHORTEST = 45;
const LONGEST = 90;

export type Window = readonly [RunWord[], RunWord[]];

/**
 * Two transcripts in windows of the same time, so that comparing them costs as much as they are long. Each
 * is cut in the longest pause that both have, since the times of a word differ between runs.
 */
export function windowsOf(left: readonly RunWord[], right: readonly RunWord[]): Window[] {
  const all = [...left, ...right].sort((one, other) => one.start - other.start);
  const windows: Window[] = [];
  let [fromLeft, fromRight] = [0, 0];
  for (const cut of [...cutsOf(all), Number.POSITIVE_INFINITY]) {
    const [toLeft, toRight] = [indexAt(left, cut, fromLeft), indexAt(right, cut, fromRight)];
    windows.push([left.slice(fromLeft, toLeft), right.slice(fromRight, toRight)]);
    [fromLeft, fromRight] = [toLeft, toRight];
  }
  return windows;
}

function cutsOf(all: readonly RunWord[]): number[] {
  const cuts: number[] = [];
  let begin = all[0]?.start ?? 0;
  let best = { pause: Number.NEGATIVE_INFINITY, at: 0 };
  let end = begin;
  for (const { start, end: wordEnd } of all) {
    if (start - begin > LONGEST && best.at > begin) {
      cuts.push(best.at);
      begin = best.at;
      best = { pause: Number.NEGATIVE_INFINITY, at: 0 };
    }
    const pause = start - end;
    if (start - begin > SHORTEST && pause >= best.pause) best = { pause, at: start - Math.max(0, pause) / 2 };
    end = Math.max(end, wordEnd);
  }
  return cuts;
}

function indexAt(words: readonly RunWord[], time: number, from: number): number {
  let index = from;
  while (index < words.length && (words[index]?.start ?? 0) < time) index++;
  return index;
}
