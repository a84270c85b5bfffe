/** The messages of the contract that the console reads, as HTTP writes them (docs/http.md, /docs/openapi.json). */

import type { QualityReport, Reading } from "./findings";

/** Seconds, as "12.300s". */
export type Duration = string;
/** RFC 3339. */
export type Timestamp = string;

export const STATES = [
  "PENDING",
  "PREPROCESSING",
  "PROCESSING_ASR",
  "PROCESSING_LLM",
  "COMPLETE",
  "FAILED",
  "CANCELLED",
] as const;
export type JobState = (typeof STATES)[number];

export const STAGES = [
  "preprocess",
  "asr",
  "diarization",
  "quality",
  "alignment",
  "enhancement",
  "summary",
  "synthesis",
] as const;
export type Stage = (typeof STAGES)[number];

export const FEATURES = [
  "clean_transcript",
  "summary",
  "digest",
  "speakers",
  "raw_transcript",
  "enhancement_metrics",
  "quality",
  "reading",
] as const;
export type Feature = (typeof FEATURES)[number];

export interface TimeRange {
  start_offset?: Duration;
  end_offset?: Duration;
}

export interface Word extends TimeRange {
  word: string;
  confidence?: number;
}

export interface Segment extends TimeRange {
  segment_id: string;
  text: string;
  clean_text?: string;
  words: Word[];
  confidence?: number;
  channel: number;
  track: number;
  /** Who speaks, such as "S1"; unset where speakers were not asked for. */
  speaker?: string;
  /** Whether somebody else speaks during a part of it. */
  overlapped?: boolean;
}

/** Who speaks in a recording. */
export interface Speaker {
  speaker: string;
  /** Empty where nobody gave one. */
  name: string;
  speech_duration?: Duration;
  /** The channel or track that is theirs alone, from 1; 0 where it was mixed. */
  channel?: number;
  track?: number;
}

export interface Warning {
  reason: string;
  range?: TimeRange;
  /** In English. */
  message: string;
  /** The values in the message; absent in older results. */
  metadata?: { [key: string]: string };
}

export interface SuspectText {
  range?: TimeRange;
  text: string;
  reason: string;
  removed: boolean;
}

export interface Failure {
  reason: string;
  message: string;
  unit: string;
}

export interface EngineVersion {
  engine: string;
  library: string;
  model_name: string;
  model_variant: string;
  compute_type: string;
  device: string;
  checkpoint_sha256: string;
}

export interface Citation {
  pointer: string;
  segment_ids: string[];
  ranges: TimeRange[];
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Summary {
  template_id: string;
  content: { [key: string]: Json };
  citations: Citation[];
}

export interface JobResults {
  raw_transcript?: string;
  clean_transcript?: string;
  segments: Segment[];
  language_code: string;
  summary?: Summary;
  /** The summary as speech; unset where that was not asked for. */
  digest?: { text: string };
  warnings: Warning[];
  suspect_texts: SuspectText[];
  revision: number;
  /** Empty where speakers were not asked for. */
  speakers: Speaker[];
  /** 0 to 1; unset where the number of speakers was given. */
  speaker_count_confidence?: number;
  /** Unset where it was not asked for. */
  quality_report?: QualityReport;
  reading?: Reading;
}

export interface JobMetrics {
  input_duration?: Duration;
  processing_duration?: Duration;
  real_time_factor: number;
  asr_confidence?: number;
  edit_rate?: number;
  suspect_text_count?: number;
  removed_text_count?: number;
  kept_segment_count?: number;
  unread_duration?: Duration;
  reread_count?: number;
  quality?: AudioQuality;
  stages?: StageMetrics[];
}

export interface AudioQuality {
  vad_coverage: number;
  loudness_lufs?: number;
  clipping_ratio: number;
  bandwidth_hertz?: number;
}

export interface StageMetrics {
  stage: Stage;
  processing_duration?: Duration;
}

export interface StageProgress {
  stage: Stage;
  fraction: number;
  ended_units: number;
  total_units: number;
}

export interface JobVersions {
  pipeline: string;
  stages: { stage: Stage; engine?: EngineVersion }[];
  template?: TemplateVersion;
}

/** The template that was filled. */
export interface TemplateVersion {
  template_id: string;
  sha256: string;
  version: number;
}

export interface Job {
  job_id: string;
  state: JobState;
  config?: { features: Feature[]; template_id: string; filename: string };
  create_time: Timestamp;
  finish_time?: Timestamp;
  progress: StageProgress[];
  failures: Failure[];
  results?: JobResults;
  metrics?: JobMetrics;
  versions?: JobVersions;
  display_name: string;
  labels: Record<string, string>;
  newest_revision: number;
  /** Whose transcript it summarises; unset for a job of its own. */
  origin?: { job_id: string; revision: number };
  summary_job_ids: string[];
  /** Empty for a job without a recording of its own. */
  recording_sha256: string;
  /** What the link allows; set for its readers only. */
  shared?: { audio: boolean; expire_time: Timestamp; template?: { schema_json: string } };
}

/** A link by which others read a recording. */
export interface Share {
  share_id: string;
  audio: boolean;
  create_time: Timestamp;
  expire_time: Timestamp;
  created_by: string;
}

/** A saved state of a transcript; 0, as it was made, is never listed. */
export interface Revision {
  revision: number;
  save_time: Timestamp;
  author: string;
  changed_segments: number;
  reverted_to?: number;
}

/** Segments of a revision, and what is in their place. */
export interface Correction {
  segment_ids: string[];
  segments: { text: string; speaker?: string }[];
}

export interface JobPage {
  jobs: Job[];
  next_page_token: string;
}

export interface Moment {
  range?: TimeRange;
  segment_id: string;
  pointer: string;
  snippet: string;
}

export interface SearchPage {
  hits: { job: Job; moments: Moment[] }[];
  next_page_token: string;
}

export interface TimelineAttempt {
  unit: string;
  stage: Stage;
  attempt: number;
  state: string;
  queue_time?: Timestamp;
  start_time?: Timestamp;
  end_time?: Timestamp;
  worker: string;
  failure?: Failure;
}

export interface Timeline {
  create_time: Timestamp;
  finish_time?: Timestamp;
  read_time: Timestamp;
  attempts: TimelineAttempt[];
  waiting_units: number;
}

/** How loud a recording is from its beginning to its end; a byte for each interval, in Base64. */
export interface Waveform {
  interval: Duration;
  peaks: string;
}

/** A template of summaries; lists have it without what it is made of. */
export interface Template {
  template_id: string;
  title: string;
  description: string;
  /** 1 or more for one's own; 0 for one that comes with the deployment. */
  version: number;
  schema_json: string;
  prompt: string;
  examples_json: string;
}

/** A saved version of a template. */
export interface SavedTemplate {
  version: number;
  save_time: Timestamp;
  author: string;
}

/** What is wrong with a template, and where. */
export interface TemplateProblem {
  part: string;
  message: string;
  pointer: string;
  line: number;
}

/** Who calls (GET /v1/session). */
export interface CurrentSession {
  caller: { tenant: string; scopes: string[] };
  logged_in: boolean;
}

/** What the console reads of a template's JSON Schema. */
export interface TemplateSchema {
  properties?: Record<string, { title?: string }>;
}

/** A problem document (RFC 9457) of the web part. */
export interface ProblemDocument {
  status: number;
  detail: string;
  reason: string;
  retry_after_seconds: number | null;
}
