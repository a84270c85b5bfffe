import type { Job, Speaker } from "../api/types";
import type { Candidate, Candidates } from "./api";

/** Somebody whom a speaker sounds like. */
export interface Suggestion {
  speaker: string;
  candidate: Candidate;
}

/** The likely names of speakers who have no name yet. */
export function suggestionsOf(found: readonly Candidates[], speakers: readonly Speaker[]): Suggestion[] {
  const nameless = new Set(speakers.filter((each) => !each.name).map((each) => each.speaker));
  return found.flatMap(({ speaker, candidates }) => {
    const best = candidates[0];
    return best?.is_likely && nameless.has(speaker) ? [{ speaker, candidate: best }] : [];
  });
}

/** The speakers of a job whose voices are known: none where each has a channel or a track. */
export function heardIn(job: Job): readonly Speaker[] {
  const speakers = job.results?.speakers ?? [];
  return speakers.filter(({ channel = 0, track = 0 }) => !channel && !track);
}

/** A moment of today, or else the beginning of a day that is over. */
export function consentTime(day: string, now: Date): string {
  const start = new Date(`${day}T00:00`);
  return (start > now ? now : start).toISOString();
}

/** A day as a field takes it, in the browser's time zone. */
export function dayOf(time: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}
