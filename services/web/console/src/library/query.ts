import type { JobState } from "../api/types";
import { STATES } from "../api/types";

/** What the library shows; it is in the page's address, so that a view can be kept and shared. */
export interface View {
  words: string;
  state: JobState | "";
  label: string;
  template: string;
  /** A BCP-47 tag. */
  language: string;
  /** A name, or words of one. */
  speaker: string;
  /** Days as YYYY-MM-DD, in the browser's time zone; both count. */
  from: string;
  until: string;
}

export const EVERYTHING: View = {
  words: "",
  state: "",
  label: "",
  template: "",
  language: "",
  speaker: "",
  from: "",
  until: "",
};

export function viewIn(query: URLSearchParams): View {
  const state = STATES.find((each) => each === query.get("state")) ?? "";
  const text = (name: string) => query.get(name) ?? "";
  return {
    words: text("q"),
    state,
    label: text("label"),
    template: text("template"),
    language: text("language"),
    speaker: text("speaker"),
    from: text("from"),
    until: text("until"),
  };
}

export function addressOf(view: View): string {
  const { words, ...filters } = view;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ q: words, ...filters })) if (value) query.set(name, value);
  return query.size ? `/?${query}` : "/";
}

export function isFiltered(view: View): boolean {
  const { words: _, ...filters } = view;
  return Object.values(filters).some(Boolean);
}

/** The query of GET /v1/jobs and of /v1/search. A label that is not finished yet filters nothing. */
export function filterQuery(view: View, pageSize: number, pageToken: string): URLSearchParams {
  const query = new URLSearchParams({ page_size: String(pageSize) });
  if (pageToken) query.set("page_token", pageToken);
  for (const name of ["state", "template", "language", "speaker"] as const) {
    if (view[name].trim()) query.set(name, view[name].trim());
  }
  if (/^[^=]+=./.test(view.label)) query.set("label", view.label.trim());
  if (isDay(view.from)) query.set("accepted_from", dayStart(view.from, 0));
  if (isDay(view.until)) query.set("accepted_until", dayStart(view.until, 1));
  return query;
}

function isDay(day: string): boolean {
  return !Number.isNaN(new Date(`${day}T00:00`).getTime());
}

function dayStart(day: string, daysLater: number): string {
  const start = new Date(`${day}T00:00`);
  start.setDate(start.getDate() + daysLater);
  return start.toISOString();
}

/** The query of GET /v1/search for what is typed so far: the last word may be a beginning. */
export function searchWords(typed: string): string {
  const text = typed.trim();
  const openQuote = (text.match(/"/g)?.length ?? 0) % 2 === 1;
  if (openQuote) return `${text}"`;
  return /[\p{L}\p{N}]$/u.test(text) ? `${text}*` : text;
}

export interface Piece {
  text: string;
  found: boolean;
}

/** A snippet in pieces, those that were searched for marked. */
export function highlighted(snippet: string, typed: string): Piece[] {
  const wanted = typed.match(/[\p{L}\p{N}]+/gu)?.map((word) => word.toLocaleLowerCase()) ?? [];
  const last = wanted.at(-1) ?? "";
  const isWanted = (word: string) => {
    const lower = word.toLocaleLowerCase();
    return wanted.includes(lower) || (last !== "" && lower.startsWith(last));
  };
  return snippet
    .split(/([\p{L}\p{N}]+)/u)
    .filter((text) => text !== "")
    .map((text) => ({ text, found: isWanted(text) }));
}
