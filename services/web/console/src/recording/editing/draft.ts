import type { Correction, Segment } from "../../api/types";
import { endOf, startOf } from "../../format";
import { timedWords } from "../words";

/** A line of a transcript that is being corrected. */
export interface DraftLine {
  /** Names the line on the page. */
  key: string;
  /** The segments of the base revision that its text comes from, in order. */
  from: readonly string[];
  text: string;
  /** Who speaks, where somebody said so. */
  speaker?: string;
  /** The segment as it is shown: times and words follow the text roughly; the server does it exactly. */
  segment: Segment;
}

export const shownText = (segment: Segment): string => segment.clean_text ?? segment.text;

export function linesOf(segments: readonly Segment[]): DraftLine[] {
  return segments.map((segment) => ({
    key: segment.segment_id,
    from: [segment.segment_id],
    text: shownText(segment),
    segment,
  }));
}

export function withText(lines: readonly DraftLine[], key: string, text: string): DraftLine[] {
  return lines.map((line) =>
    line.key === key ? { ...line, text, segment: saying(line.segment, text) } : line,
  );
}

export function withSpeaker(lines: readonly DraftLine[], key: string, speaker: string): DraftLine[] {
  return lines.map((line) =>
    line.key === key ? { ...line, speaker, segment: { ...line.segment, speaker } } : line,
  );
}

/** Splits a line at a place of its text; the same lines where a part would be empty. */
export function split(lines: readonly DraftLine[], key: string, at: number): readonly DraftLine[] {
  const index = lines.findIndex((line) => line.key === key);
  const line = lines[index];
  const [before, after] = [line?.text.slice(0, at).trim(), line?.text.slice(at).trim()];
  if (!line || !before || !after) return lines;
  const words = timedWords(line.text, line.segment.words);
  const word = words[before.split(/\s+/).length];
  const [start, end] = [startOf(line.segment), endOf(line.segment)];
  const share = start + ((end - start) * before.length) / line.text.length;
  const middle = line.segment.words.length && word ? Math.min(Math.max(word.start, start), end) : share;
  const used = new Set(lines.map((each) => each.key));
  let number = 1;
  while (used.has(`${key}+${number}`)) number++;
  const first = { ...line, text: before, segment: saying(within(line.segment, start, middle), before) };
  const rest = saying(within(line.segment, middle, end), after);
  const second = { ...line, key: `${key}+${number}`, text: after, segment: rest };
  return lines.toSpliced(index, 1, first, second);
}

/** The line before a line that it can be joined to: on the same channel and track. */
export function before(lines: readonly DraftLine[], key: string): DraftLine | undefined {
  const index = lines.findIndex((line) => line.key === key);
  const line = lines[index];
  return line && lines.slice(0, index).findLast((each) => sameLane(each, line));
}

export function after(lines: readonly DraftLine[], key: string): DraftLine | undefined {
  const index = lines.findIndex((line) => line.key === key);
  const line = lines[index];
  return line && lines.slice(index + 1).find((each) => sameLane(each, line));
}

/** Joins a line to the one before it; the same lines where there is none. */
export function join(lines: readonly DraftLine[], key: string): readonly DraftLine[] {
  const second = lines.find((line) => line.key === key);
  const first = before(lines, key);
  if (!first || !second) return lines;
  const text = [first.text, second.text].filter(Boolean).join(" ");
  const segment = {
    ...first.segment,
    end_offset: second.segment.end_offset ?? "0s",
    words: [...first.segment.words, ...second.segment.words],
  };
  // Who speaks is what the first line says, once somebody chose for one of them.
  const chosen = first.speaker === undefined && second.speaker === undefined ? {} : said(first.segment);
  const joined = {
    ...first,
    ...chosen,
    text,
    from: [...new Set([...first.from, ...second.from])],
    segment: saying(segment, text),
  };
  return lines.filter((line) => line !== second).map((line) => (line === first ? joined : line));
}

/** What the server is asked to change of the base revision. */
export function corrections(base: readonly Segment[], lines: readonly DraftLine[]): Correction[] {
  const groups = grouped(base, lines);
  const places = new Map(base.map((segment) => [segment.segment_id, segment]));
  return groups.flatMap(({ ids, lines: parts }) => {
    const only = ids.length === 1 && parts.length === 1 ? parts[0] : undefined;
    const before = places.get(ids[0] ?? "");
    if (only && before && isSame(only, before)) return [];
    const filled = parts.map((part) => ({ ...part, text: part.text.trim() })).filter((part) => part.text);
    return [
      { segment_ids: ids, segments: filled.map(({ text, speaker }) => ({ text, ...said({ speaker }) })) },
    ];
  });
}

function isSame(line: DraftLine, segment: Segment): boolean {
  return line.text === shownText(segment) && (line.speaker ?? segment.speaker) === segment.speaker;
}

function said({ speaker }: { speaker?: string | undefined }): { speaker?: string } {
  return speaker === undefined ? {} : { speaker };
}

/** The lines after corrections of the base revision, such as those that this browser kept. */
export function corrected(base: readonly Segment[], edits: readonly Correction[]): DraftLine[] {
  const places = new Map(base.map((segment) => [segment.segment_id, segment]));
  let lines: readonly DraftLine[] = linesOf(base);
  for (const { segment_ids: ids, segments } of edits) {
    const [first, ...rest] = ids;
    if (first === undefined || ids.some((id) => !places.has(id))) continue;
    for (const id of rest) lines = join(lines, id);
    const texts = segments.map((each) => each.text);
    lines = withText(lines, first, texts.join(" "));
    let key = first;
    segments.forEach(({ text, speaker }, index) => {
      const known = new Set(lines.map((line) => line.key));
      if (index + 1 < segments.length) lines = split(lines, key, text.length);
      if (speaker !== undefined) lines = withSpeaker(lines, key, speaker);
      key = lines.find((line) => !known.has(line.key))?.key ?? key;
    });
  }
  return [...lines];
}

interface Group {
  ids: string[];
  lines: DraftLine[];
}

/** Segments of the base that lines connect, each with the lines in their place. */
function grouped(base: readonly Segment[], lines: readonly DraftLine[]): Group[] {
  const group = new Map<string, Group>();
  for (const segment of base) group.set(segment.segment_id, { ids: [segment.segment_id], lines: [] });
  for (const line of lines) {
    const found = new Set(line.from.flatMap((id) => group.get(id) ?? []));
    const [first, ...others] = found;
    if (!first) continue;
    for (const other of others) {
      first.ids.push(...other.ids);
      first.lines.push(...other.lines);
      for (const id of other.ids) group.set(id, first);
    }
    first.lines.push(line);
  }
  return [...new Set(group.values())];
}

function sameLane(one: DraftLine, other: DraftLine): boolean {
  return one.segment.channel === other.segment.channel && one.segment.track === other.segment.track;
}

function saying(segment: Segment, text: string): Segment {
  return segment.clean_text === undefined ? { ...segment, text } : { ...segment, text, clean_text: text };
}

function within(segment: Segment, start: number, end: number): Segment {
  const words = segment.words.filter((word) => startOf(word) >= start && startOf(word) < end);
  return { ...segment, start_offset: `${start}s`, end_offset: `${end}s`, words };
}
