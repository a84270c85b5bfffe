import { api } from "../api/client";
import type { Job, Moment } from "../api/types";
import { fits, jobsQuery, searchWords, type View } from "./query";

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
// /v1/jobs does not filter by template: so many jobs are read at a time to find those of one.
const READ_PAGE = 500;

/** A page of what a view shows. */
export async function loadEntries(view: View, next: string, signal: AbortSignal): Promise<Entries> {
  if (searchWords(view.words)) return await found(view, next, signal);
  if (!view.template) {
    const page = await api.jobs(jobsQuery(view, PAGE, next), signal);
    return { entries: page.jobs.map(withoutMoments), next: page.next_page_token };
  }
  const entries: Entry[] = [];
  let token = next;
  do {
    const page = await api.jobs(jobsQuery(view, READ_PAGE, token), signal);
    entries.push(...page.jobs.filter((job) => fits(job, view)).map(withoutMoments));
    token = page.next_page_token;
  } while (token && entries.length < PAGE);
  return { entries, next: token };
}

async function found(view: View, next: string, signal: AbortSignal): Promise<Entries> {
  const query = new URLSearchParams({ q: searchWords(view.words), page_size: String(PAGE) });
  if (next) query.set("page_token", next);
  const page = await api.search(query, signal);
  return { entries: page.hits.filter(({ job }) => fits(job, view)), next: page.next_page_token };
}

const withoutMoments = (job: Job): Entry => ({ job, moments: [] });
