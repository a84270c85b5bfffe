import type { Segment, Speaker } from "../api/types";
import { endOf, seconds, startOf } from "../format";
import type { Words } from "../words/en";

/** How many colours of speakers there are; further speakers begin with the first again. */
export const COLOURS = 8;
/** The server says that the number of speakers is uncertain below this. */
export const SURE_FROM = 0.7;

/** The number in a speaker's id: 1 for "S1"; 0 where it has none. */
export function numberOf(speaker: string): number {
  return /^S[1-9]\d*$/.test(speaker) ? Number(speaker.slice(1)) : 0;
}

/** What people call a speaker: the name that somebody gave, the channel or track that is theirs, or "Speaker 1". */
export function labelOf(speaker: string, speakers: readonly Speaker[], text: Words["speakers"]): string {
  const known = speakers.find((each) => each.speaker === speaker);
  if (known?.name) return known.name;
  const place = placeLabel(known ?? {}, text);
  if (place) return place;
  return numberOf(speaker) ? text.numbered(numberOf(speaker)) : speaker;
}

/** What people call a track and channel, from 1; empty where there is but one. */
export function placeLabel(
  { track = 0, channel = 0 }: Pick<Speaker, "track" | "channel">,
  text: Words["speakers"],
): string {
  if (track && channel) return text.trackAndChannel(track, channel);
  if (track) return text.track(track);
  return channel ? text.channel(channel) : "";
}

/** A track and channel with the name of the speaker whose it is alone: "Anna · Channel 1". */
export function laneLabel(
  lane: Required<Pick<Speaker, "track" | "channel">>,
  speakers: readonly Speaker[],
  text: Words["speakers"],
): string {
  const { track, channel } = lane;
  const whose = speakers.filter((each) => (each.track ?? 0) === track && (each.channel ?? 0) === channel);
  const place = placeLabel(lane, text);
  const [only, ...others] = whose;
  return only?.name && others.length === 0 ? `${only.name} · ${place}` : place;
}

/** The colour of a speaker, as `data-voice` and speakers.css have it. */
export function voiceOf(speaker: string): number {
  return (Math.max(numberOf(speaker), 1) - 1) % COLOURS;
}

/** Each speaker who speaks, with the share of all speech, 0 to 1. */
export function sharesOf(speakers: readonly Speaker[]): { speaker: Speaker; share: number }[] {
  const total = speakers.reduce((sum, each) => sum + seconds(each.speech_duration), 0);
  return speakers
    .map((speaker) => ({ speaker, share: seconds(speaker.speech_duration) / (total || 1) }))
    .filter(({ share }) => share > 0);
}

/** The speakers that a segment may be given: those of the recording, those given before, and a new one. */
export function choicesOf(speakers: readonly Speaker[], segments: readonly Segment[]): string[] {
  const known = new Set(speakers.map((each) => each.speaker));
  for (const { speaker } of segments) if (speaker) known.add(speaker);
  const last = Math.max(0, ...[...known].map(numberOf));
  return last ? [...known, `S${last + 1}`] : [];
}

/** The names of other speakers, each once, which one is often another part of. */
export function namesBeside(speaker: string, speakers: readonly Speaker[]): string[] {
  const others = speakers.filter((each) => each.speaker !== speaker && each.name);
  return [...new Set(others.map((each) => each.name))];
}

/** When each colour speaks, as an SVG path in seconds with the height 1; those who never do are left out. */
export function stripsOf(segments: readonly Segment[]): { voice: number; path: string }[] {
  const paths = new Map<number, string>();
  for (const segment of segments) {
    if (!segment.speaker) continue;
    const voice = voiceOf(segment.speaker);
    const length = Math.max(0, endOf(segment) - startOf(segment));
    paths.set(voice, `${paths.get(voice) ?? ""}M${startOf(segment)} 0h${length}v1h-${length}z`);
  }
  return [...paths].map(([voice, path]) => ({ voice, path }));
}
