import { api } from "../api/client";
import type { Job, Moment } from "../api/types";
import { filterQuery, searchWords, type View } from "./query";

export interface Entry {
  job: Job;
  moments: Moment[];
}

export interface Entries {
  entries: Entry[];
  /** Asks for more; empty where there is no more. */
  next: string;
}

const PAGE = 50;

/** A page of what a view shows. */
export async function loadEntries(view: View, next: string, signal: AbortSignal): Promise<Entries> {
  const query = filterQuery(view, PAGE, next);
  const typed = searchWords(view.words);
  if (!typed) {
    const page = await api.jobs(query, signal);
    return { entries: page.jobs.map(withoutMoments), next: page.next_page_token };
  }
  query.set("q", typed);
  const found = await api.search(query, signal);
  return { entries: found.hits, next: found.next_page_token };
}

const withoutMoments = (job: Job): Entry => ({ job, moments: [] });
