import type { EngineVersion, Job, JobMetrics, Json, StageMetrics } from "../api/types";
import { seconds } from "../format";

/** A value of two runs; empty where a run has none. */
export interface Pair {
  name: string;
  left: string;
  right: string;
}

/** The options and versions in which two runs differ. */
export function differingSettings(left: Job, right: Job): Pair[] {
  const [mine, theirs] = [flat(settingsOf(left)), flat(settingsOf(right))];
  const names = new Set([...mine.keys(), ...theirs.keys()]);
  return [...names]
    .sort()
    .map((name) => ({ name, left: mine.get(name) ?? "", right: theirs.get(name) ?? "" }))
    .filter((pair) => pair.left !== pair.right);
}

/** What of a config names a job, and says nothing of how it is made. */
const NAMES = new Set(["filename", "display_name", "request_id", "labels"]);

function settingsOf({ config, versions }: Job): Json {
  const engines: [string, EngineVersion | undefined][] =
    versions?.stages.map(({ stage, engine }) => [stage, engine]) ?? [];
  const options = Object.fromEntries(Object.entries(config ?? {}).filter(([name]) => !NAMES.has(name)));
  return {
    options,
    maie: versions?.pipeline ?? "",
    template: versions?.template ?? null,
    ...Object.fromEntries(engines),
  } as Json;
}

/** The values of a message by their paths, such as "asr.model_name"; what is unset is left out. */
function flat(value: Json, path = ""): Map<string, string> {
  if (value === null || value === "" || value === 0 || value === false) return new Map();
  if (Array.isArray(value)) return new Map(value.length ? [[path, value.map(shortText).join(", ")]] : []);
  if (typeof value !== "object") return new Map([[path, String(value)]]);
  const parts = Object.entries(value).map(([key, each]) => flat(each, path ? `${path}.${key}` : key));
  return new Map(parts.flatMap((part) => [...part]));
}

function shortText(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export type FigureKind = "number" | "seconds" | "share" | "decibels" | "hertz";

/** A figure of two runs; null where a run has none. */
export interface Figure {
  name: keyof typeof FIGURES;
  kind: FigureKind;
  left: number | null;
  right: number | null;
}

type Reading = readonly [FigureKind, (metrics: JobMetrics) => number | undefined];

const FIGURES = {
  asrConfidence: ["share", (of) => of.asr_confidence],
  editRate: ["share", (of) => of.edit_rate],
  suspect: ["number", (of) => of.suspect_text_count],
  removed: ["number", (of) => of.removed_text_count],
  kept: ["number", (of) => of.kept_segment_count],
  unread: ["seconds", (of) => seconds(of.unread_duration)],
  reread: ["number", (of) => of.reread_count],
  speech: ["share", (of) => of.quality?.vad_coverage],
  loudness: ["decibels", (of) => of.quality?.loudness_lufs],
  clipping: ["share", (of) => of.quality?.clipping_ratio],
  bandwidth: ["hertz", (of) => of.quality?.bandwidth_hertz],
  processing: ["seconds", (of) => seconds(of.processing_duration)],
  realTime: ["number", (of) => of.real_time_factor],
} as const satisfies Record<string, Reading>;

/** The figures that one of two runs has, in the order in which they are shown. */
export function figuresOf(left: Job, right: Job): Figure[] {
  const names = Object.keys(FIGURES) as (keyof typeof FIGURES)[];
  return names
    .map((name) => {
      const [kind, read]: Reading = FIGURES[name];
      const value = ({ metrics }: Job) => (metrics && read(metrics)) ?? null;
      return { name, kind, left: value(left), right: value(right) };
    })
    .filter((figure) => figure.left !== null || figure.right !== null);
}

/** How long each stage of two runs worked, in seconds; null where a run did without it. */
export function stageTimes(left: Job, right: Job) {
  const of = (job: Job) => new Map(job.metrics?.stages?.map((each) => [each.stage, timeOf(each)]));
  const [mine, theirs] = [of(left), of(right)];
  return [...new Set([...mine.keys(), ...theirs.keys()])].map((stage) => ({
    stage,
    left: mine.get(stage) ?? null,
    right: theirs.get(stage) ?? null,
  }));
}

function timeOf(stage: StageMetrics): number {
  return seconds(stage.processing_duration);
}
