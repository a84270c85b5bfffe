import { go, place } from "../router";
import { words } from "../words";
import type {
  Correction,
  CurrentSession,
  Job,
  JobPage,
  ProblemDocument,
  Revision,
  SavedTemplate,
  SearchPage,
  Share,
  Template,
  TemplateProblem,
  TemplateSchema,
  Timeline,
  Waveform,
} from "./types";

/** What went wrong, as one sentence with what to do, and the reason that programs decide by. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
    /** When to try again, if the server knows. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "CONSOLE", words.value.problem.unexpected);
}

export const json = <Answer>(response: Response): Promise<Answer> => response.json() as Promise<Answer>;
const templatePath = (id: string) => `/v1/templates/${encodeURIComponent(id)}`;
const jobPath = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;

export const api = {
  jobs: async (query: URLSearchParams, signal?: AbortSignal) =>
    json<JobPage>(await call(`/v1/jobs?${query}`, options(signal))),
  search: async (query: URLSearchParams, signal?: AbortSignal) =>
    json<SearchPage>(await call(`/v1/search?${query}`, options(signal))),
  /** A job with a revision of its transcript; the newest one where none is named. */
  job: async (id: string, signal?: AbortSignal, revision: string | null = null) => {
    const query = revision === null ? "" : `?${new URLSearchParams({ revision })}`;
    return json<Job>(await call(jobPath(id) + query, options(signal)));
  },
  revisions: async (id: string, signal?: AbortSignal) =>
    (await json<{ revisions: Revision[] }>(await call(`${jobPath(id)}/revisions`, options(signal))))
      .revisions,
  saveRevision: (id: string, base: number, edits: readonly Correction[]) =>
    call(`${jobPath(id)}/revisions`, posted({ base_revision: base, edits })),
  revert: (id: string, base: number, revision: number) =>
    call(`${jobPath(id)}/revisions/${revision}/revert`, posted({ base_revision: base })),
  timeline: async (id: string, signal?: AbortSignal) =>
    json<Timeline>(await call(`${jobPath(id)}/timeline`, options(signal))),
  templates: async (signal?: AbortSignal) =>
    (await json<{ templates: Template[] }>(await call("/v1/templates", options(signal)))).templates,
  /** A version of a template; the newest one where none is named. */
  template: async (id: string, version: string | null, signal?: AbortSignal) => {
    const query = version === null ? "" : `?${new URLSearchParams({ version })}`;
    return json<Template>(await call(templatePath(id) + query, options(signal)));
  },
  templateVersions: async (id: string, signal?: AbortSignal) => {
    const found = await call(`${templatePath(id)}/versions`, options(signal));
    return (await json<{ versions: SavedTemplate[] }>(found)).versions;
  },
  /** What is wrong with a template that is not saved yet. */
  checkTemplate: async (
    id: string,
    schema_json: string,
    prompt: string,
    examples_json: string,
    signal?: AbortSignal,
  ) => {
    const init = { ...posted({ template_id: id, schema_json, prompt, examples_json }), ...options(signal) };
    return (await json<{ problems: TemplateProblem[] }>(await call("/v1/templates:check", init))).problems;
  },
  saveTemplate: async (
    id: string,
    base_version: number,
    schema_json: string,
    prompt: string,
    examples_json: string,
  ) => {
    const body = { base_version, schema_json, prompt, examples_json };
    return json<SavedTemplate>(await call(templatePath(id), { ...posted(body), method: "PUT" }));
  },
  deleteTemplate: (id: string) => call(templatePath(id), { method: "DELETE" }),
  /** The schema of a job's template, as the job was given it. */
  jobSchema: async (id: string, signal?: AbortSignal) => {
    const found = await json<Template>(await call(`${jobPath(id)}/template`, options(signal)));
    return JSON.parse(found.schema_json) as TemplateSchema;
  },
  /** Summarises a revision of a job's transcript with a template, in a job of its own. */
  summarise: async (id: string, revision: number, template: string) =>
    json<Job>(await call(`${jobPath(id)}/summaries`, posted({ revision, template_id: template }))),
  shares: async (id: string, signal?: AbortSignal) =>
    (await json<{ shares: Share[] }>(await call(`${jobPath(id)}/shares`, options(signal)))).shares,
  /** Makes a link; gives its token, which nobody can read again. */
  share: async (id: string, days: number, audio: boolean) =>
    (await json<{ token: string }>(await call(`${jobPath(id)}/shares`, posted({ days, audio })))).token,
  revokeShare: (id: string, share: string) =>
    call(`${jobPath(id)}/shares/${encodeURIComponent(share)}`, { method: "DELETE" }),
  /** The recording of a link as its readers see it; the browser then has a cookie for its files. */
  openShare: async (token: string, signal?: AbortSignal) =>
    json<Job>(await fetched("/v1/shared", { ...posted({ token }), ...options(signal) })),
  /** Gives a speaker of a job a name; an empty one removes it. */
  nameSpeaker: (id: string, speaker: string, name: string) =>
    call(jobPath(id), { ...posted({ speaker_names: { [speaker]: name } }), method: "PATCH" }),
  cancel: (id: string) => call(`${jobPath(id)}/cancel`, { method: "POST" }),
  retry: (id: string) => call(`${jobPath(id)}/retry`, { method: "POST" }),
  remove: (id: string) => call(jobPath(id), { method: "DELETE" }),
  logIn: (key: string) => fetched("/v1/session", posted({ key })),
  session: async (signal?: AbortSignal) =>
    json<CurrentSession>(await fetched("/v1/session", options(signal))),
  logOut: () => call("/v1/session", { method: "DELETE" }),
  /** Where the events of a job are, after the last one that came; from the first on where it is empty. */
  eventsOf: (id: string, last: string) =>
    `${jobPath(id)}/events${last && `?${new URLSearchParams({ last_event_id: last })}`}`,
  /** Where a job's audio and results are. */
  filesOf: jobPath,
  /** Where those of a link are, once it is open. */
  filesOfShare: (share: string) => `/v1/shared/${encodeURIComponent(share)}`,
  /** How loud a recording is in time; null where it has no waveform. */
  waveform: async (files: string, signal?: AbortSignal) => {
    try {
      return await json<Waveform>(await fetched(`${files}/waveform`, options(signal)));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },
  /** Whether the mesh gives audio in parts, as players ask for it. */
  hasAudio: async (files: string, signal?: AbortSignal) => {
    const request = { headers: { range: "bytes=0-0" }, ...options(signal) };
    const response = await fetch(`${files}/audio`, request);
    await response.body?.cancel();
    return response.status === 206;
  },
};

export function posted(body: object): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export function options(signal?: AbortSignal): RequestInit {
  return signal ? { signal } : {};
}

/** Fetches; somebody who is not known comes to the page where they can log in. */
export async function call(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetched(path, init);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) toLogin();
    throw error;
  }
}

/** Fetches; somebody who is not known stays on the page. */
export async function fetched(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "UNREACHABLE", words.value.problem.unreachable);
  }
  if (!response.ok) throw await problemIn(response);
  return response;
}

async function problemIn(response: Response): Promise<Problem> {
  return documentToProblem(response.status, await response.text());
}

export function documentToProblem(status: number, text: string): Problem {
  try {
    const document = JSON.parse(text) as Partial<ProblemDocument>;
    const { detail, reason, retry_after_seconds } = document;
    if (detail && reason) return new Problem(status, reason, detail, retry_after_seconds ?? null);
  } catch {
    // A proxy on the way answered in its own words.
  }
  return new Problem(status, "CONSOLE", words.value.problem.status(status));
}

export function toLogin(): void {
  if (place.value.path === "/login") return;
  const back = location.pathname + location.search;
  go(`/login?back=${encodeURIComponent(back)}`, "replace");
}
