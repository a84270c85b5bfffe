import type { QualityReport, QualityWindow } from "../api/findings";
import { endOf, startOf } from "../format";

/** Of scores. */
export const LOWEST = 1;
export const HIGHEST = 5;
/** Lines of a plot that are so close in time follow each other. */
const GAP_SECONDS = 1;
const MOST_DOTS = 150;

export const SCORES = ["overall", "speech", "background"] as const;
export type Score = (typeof SCORES)[number];

/** What the whole numbers of a score mean (ITU-T P.800). */
export const GRADES = ["bad", "poor", "fair", "good", "excellent"] as const;
export type Grade = (typeof GRADES)[number];

export function gradeOf(score: number): Grade {
  const place = Math.min(HIGHEST, Math.max(LOWEST, Math.round(score)));
  return GRADES[place - LOWEST] ?? "fair";
}

/** Where a score is between the lowest and the highest, 0 to 1. */
export function shareOf(score: number): number {
  return Math.min(1, Math.max(0, (score - LOWEST) / (HIGHEST - LOWEST)));
}

/** The windows of one track and channel. */
export interface Lane {
  track: number;
  channel: number;
  windows: QualityWindow[];
}

/** The tracks and channels by their numbers, each with its windows in order. */
export function lanesOf({ windows }: Pick<QualityReport, "windows">): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const window of windows) {
    const { track, channel } = window;
    const key = `${track}/${channel}`;
    const lane = lanes.get(key) ?? { track, channel, windows: [] };
    lane.windows.push(window);
    lanes.set(key, lane);
  }
  return [...lanes.values()].sort((one, other) => one.track - other.track || one.channel - other.channel);
}

export function middleOf({ range }: QualityWindow): number {
  return (startOf(range) + endOf(range)) / 2;
}

/** The index of the window whose middle is nearest to a time; -1 where there are none. */
export function nearest(windows: readonly QualityWindow[], time: number): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  windows.forEach((window, index) => {
    const distance = Math.abs(middleOf(window) - time);
    if (distance >= least) return;
    least = distance;
    best = index;
  });
  return best;
}

/** A score over time as an SVG path, 1000 wide and 100 high; what is far apart in time is not connected, and alone a dot. */
export function curveOf(windows: readonly QualityWindow[], score: Score, duration: number): string {
  let before: QualityWindow | undefined;
  let path = "";
  let isAlone = false;
  for (const window of windows) {
    const point = pointOf(window, score, duration);
    if (!point) continue;
    const follows = before && startOf(window.range) <= endOf(before.range) + GAP_SECONDS;
    // A line has two points at least.
    path += follows ? `L${point}` : `${isAlone ? "h0" : ""}M${point}`;
    isAlone = !follows;
    before = window;
  }
  return isAlone ? `${path}h0` : path;
}

/** A dot for each window, as an SVG path likewise; none where they are too many to be told apart. */
export function dotsOf(windows: readonly QualityWindow[], score: Score, duration: number): string {
  if (windows.length > MOST_DOTS) return "";
  const points = windows.map((window) => pointOf(window, score, duration));
  return points.map((point) => point && `M${point}h0`).join("");
}

function pointOf(window: QualityWindow, score: Score, duration: number): string {
  const value = window.opinion?.[score];
  if (value === undefined) return "";
  const [x, y] = [(1000 * middleOf(window)) / (duration || 1), 100 * (1 - shareOf(value))];
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}
