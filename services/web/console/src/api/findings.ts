/** What is found of a recording: how good it sounds (quality.proto), and how a text was read (alignment.proto). */

import type { Duration, EngineVersion, TimeRange, Warning } from "./types";

/** What listeners would say, 1 (bad) to 5 (excellent), over all windows. */
export interface ScoreSummary {
  mean: number;
  min: number;
  percentile_10: number;
}

export interface QualityWindow {
  range?: TimeRange;
  opinion?: { overall: number; speech?: number; background?: number };
  level_dbfs?: number;
  /** From 1; 0 where channels were mixed, or one track was read. */
  channel: number;
  track: number;
}

export interface QualityReport {
  overall?: ScoreSummary;
  speech?: ScoreSummary;
  background?: ScoreSummary;
  windows: QualityWindow[];
  snr_db?: number;
  loudness_lufs?: number;
  loudness_range_lu?: number;
  peak_dbfs?: number;
  clipping_ratio: number;
  silence_share: number;
  bandwidth_hertz?: number;
  hum?: { hertz: number; level_dbfs: number };
  /** The first hundred. */
  dropouts: TimeRange[];
  dropout_count: number;
  reverberation_seconds?: number;
  echo?: { delay: Duration; level_db: number; share: number };
  warnings: Warning[];
  engine?: EngineVersion;
}

export const OUTCOMES = [
  "CORRECT",
  "WRONG",
  "SKIPPED",
  "NOT_REACHED",
  "INSERTED",
  "REPEATED",
  "FILLER",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface ReadWord {
  text: string;
  outcome: Outcome;
  /** Unset for what was not spoken. */
  range?: TimeRange;
  heard: string;
  /** How well the audio fits, 0 to 1; unset where it could not be aligned. */
  score?: number;
  phones: Phone[];
  /** Whether the pronunciation was guessed. */
  guessed: boolean;
  ends_phrase: boolean;
}

export interface Phone {
  symbol: string;
  range?: TimeRange;
  score: number;
}

export interface Reading {
  words: ReadWord[];
  pauses: { range?: TimeRange; hesitation: boolean }[];
  figures?: ReadingFigures;
  engine?: EngineVersion;
  asr_engine?: EngineVersion;
}

export interface ReadingFigures {
  words: number;
  correct: number;
  wrong: number;
  skipped: number;
  inserted: number;
  repeated: number;
  fillers: number;
  hesitations: number;
  duration?: Duration;
  words_correct_per_minute: number;
}
