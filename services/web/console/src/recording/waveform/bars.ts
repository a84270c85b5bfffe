import type { Waveform as WaveformMessage } from "../../api/types";
import { seconds } from "../../format";

/** The distance between bars, in pixels; each takes two thirds of it. */
export const PITCH_PX = 3;
export const HEIGHT_PX = 48;
/** What a bar has of silence, or of a pause that is skipped. */
const LEAST_PX = 1;
/** What binary fractions may be off, so that a bar does not begin a peak too early. */
const ROUNDING = 1e-6;

/** How loud a recording is, in time. */
export interface Waveform {
  /** How many seconds each peak is of. */
  step: number;
  /** 0 to 255 each; the square root of the highest sample. */
  peaks: Uint8Array;
}

export function decoded({ interval, peaks }: WaveformMessage): Waveform {
  return { step: seconds(interval), peaks: Uint8Array.from(atob(peaks), (each) => each.charCodeAt(0)) };
}

/**
 * How high each of so many bars is, 0 to 1, the highest 1: the mean of the peaks in its time, since
 * the highest ones are the same everywhere in a long recording.
 */
export function heightsOf({ peaks, step }: Waveform, duration: number, count: number): number[] {
  const time = duration / count / step;
  const means = Array.from({ length: count }, (_, index) => mean(peaks, index * time, (index + 1) * time));
  const highest = Math.max(...means);
  return means.map((each) => (highest ? each / highest : 0));
}

function mean(peaks: Uint8Array, from: number, to: number): number {
  const first = Math.floor(from + ROUNDING);
  const last = Math.max(first + 1, Math.round(to));
  let sum = 0;
  for (let index = first; index < last; index++) sum += peaks[index] ?? 0;
  return sum / (last - first);
}

/** The bars for which that is wanted, as one SVG path of lines. */
export function pathOf(heights: readonly number[], wanted: (index: number) => boolean): string {
  return heights
    .map((height, index) => (wanted(index) ? line(index, height) : ""))
    .filter(Boolean)
    .join("");
}

function line(index: number, height: number): string {
  const long = Math.max(LEAST_PX, height * (HEIGHT_PX - 2));
  return `M${(index + 0.5) * PITCH_PX} ${round((HEIGHT_PX - long) / 2)}v${round(long)}`;
}

function round(pixels: number): number {
  return Math.round(10 * pixels) / 10;
}
