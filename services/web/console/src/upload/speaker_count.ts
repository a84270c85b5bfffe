/** What is known of the number of speakers. */
export interface SpeakerCount {
  kind: "automatic" | "exactly" | "between";
  /** The number, or the least. */
  least: number;
  most: number;
}

export const KINDS = ["automatic", "exactly", "between"] as const;
export const UNKNOWN_COUNT: SpeakerCount = { kind: "automatic", least: 2, most: 6 };
/** As the server takes them. */
export const MOST_SPEAKERS = 50;

export function isValidCount({ kind, least, most }: SpeakerCount): boolean {
  const isCount = (number: number) => Number.isInteger(number) && number >= 1 && number <= MOST_SPEAKERS;
  if (kind === "automatic") return true;
  return isCount(least) && (kind === "exactly" || (isCount(most) && least <= most));
}

/** The field `speaker_options` of a job's config; null where nothing is known. */
export function speakerOptions({ kind, least, most }: SpeakerCount): Record<string, number> | null {
  if (kind === "automatic") return null;
  return kind === "exactly"
    ? { speaker_count: least }
    : { min_speaker_count: least, max_speaker_count: most };
}
