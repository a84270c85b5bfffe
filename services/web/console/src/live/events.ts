/** Messages of a live session, as the WebSocket /v1/live writes them (docs/http.md, docs/live.md). */
import type { Duration, Segment, Timestamp, Warning } from "../api/types";

export interface TrackProgress {
  track: string;
  /** 64-bit integers are strings in JSON. */
  durable_sequence: string;
}

export interface Started {
  session_id: string;
  resume_token: string;
  tracks: TrackProgress[];
}

/** Who says a final of a track that several people share. */
export interface SpeakerLabels {
  track: string;
  utterance_id: string;
  speaker: string;
  words: { speaker: string }[];
}

export interface LiveEvent {
  /** Above "0" for durable events, which are counted without a gap. */
  sequence: string;
  event_time?: Timestamp;
  started?: Started;
  acknowledged?: { tracks: TrackProgress[] };
  partial?: { track: string; utterance_id: string; stable_text: string; unstable_text: string };
  final?: { track: string; segment: Segment };
  refinement?: { track: string; utterance_id: string; clean_text: string };
  speaker_labels?: SpeakerLabels;
  speaker_update?: { track: string; old: string; new: string };
  lag?: { track: string; behind: Duration };
  warning?: { track: string; warning: Warning; track_dropped: boolean };
  go_away?: object;
  ended?: { job_id: string };
}

export interface AudioFormat {
  encoding: "LINEAR16";
  sample_rate_hertz: number;
}

/** What is about a track and counted for it, without the track's name. */
export type TrackMessage =
  | { join: { display_name: string; format: AudioFormat } }
  | { silence: { duration: Duration } }
  | { finalize: object }
  | { leave: object };

/** What `start` asks for. */
export interface SessionConfig {
  format: AudioFormat;
  job: {
    features: readonly string[];
    template_id?: string;
    display_name?: string;
    asr_options?: { language_code: string };
  };
  refinements: boolean;
  keep_audio: boolean;
  several_speakers: boolean;
}
