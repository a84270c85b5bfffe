import { call, json, options, posted } from "../api/client";
import type { Duration, Timestamp } from "../api/types";

/** The profile of a person's voice. */
export interface Voice {
  voice_id: string;
  display_name: string;
  revision: number;
  create_time: Timestamp;
  engines: { clean_duration?: Duration }[];
}

export interface Voices {
  voices: Voice[];
  /** How many profiles the tenant may have; 0 where voices are off. */
  most_voices: number;
}

/** A recording that a profile was made of. */
export interface Enrollment {
  job_id: string;
  speaker: string;
  consent?: { statement: string; consent_time?: Timestamp };
  enroll_time: Timestamp;
  clean_duration?: Duration;
}

/** A person who may be a speaker. */
export interface Candidate {
  voice_id: string;
  display_name: string;
  /** How similar the voices are, 0 to 1; no probability. */
  score: number;
  is_likely: boolean;
}

export interface Candidates {
  speaker: string;
  candidates: Candidate[];
}

/** What a person agreed to. */
export interface Consent {
  statement: string;
  consent_time: Timestamp;
}

const voicePath = (id: string) => `/v1/voices/${encodeURIComponent(id)}`;

export const voices = {
  list: async (signal?: AbortSignal) => json<Voices>(await call("/v1/voices", options(signal))),
  enrollments: async (id: string, signal?: AbortSignal) =>
    (await json<{ enrollments: Enrollment[] }>(await call(voicePath(id), options(signal)))).enrollments,
  /** Who of the enrolled people each speaker of a job may be. */
  inJob: async (job: string, signal?: AbortSignal) => {
    const found = await call(`/v1/jobs/${encodeURIComponent(job)}/voices`, options(signal));
    return (await json<{ speakers: Candidates[] }>(found)).speakers;
  },
  /** Makes a profile of a speaker's voice. The same request id makes it only once. */
  enrol: (job_id: string, speaker: string, display_name: string, consent: Consent, request_id: string) =>
    call("/v1/voices", posted({ job_id, speaker, display_name, consent, request_id })),
  /** Adds a recording to a profile. */
  add: (id: string, job_id: string, speaker: string, consent: Consent) =>
    call(`${voicePath(id)}/recordings`, posted({ job_id, speaker, consent })),
  rename: (id: string, display_name: string, base_revision: number) =>
    call(voicePath(id), { ...posted({ display_name, base_revision }), method: "PATCH" }),
  remove: (id: string) => call(voicePath(id), { method: "DELETE" }),
};
