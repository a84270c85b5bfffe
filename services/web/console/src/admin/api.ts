import { call, json, options, posted } from "../api/client";
import type { Failure, Stage, Timestamp } from "../api/types";

export const SCOPES = ["submit", "read", "live", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Key {
  key_id: string;
  tenant: string;
  display_name: string;
  scopes: string[];
  created_by: string;
  create_time: Timestamp;
  expire_time?: Timestamp;
  revoke_time?: Timestamp;
}

export interface Entry {
  entry_id: string;
  entry_time: Timestamp;
  caller_id: string;
  tenant: string;
  action: string;
  job_id: string;
  status: string;
  reason: string;
}

export interface Letter {
  letter_id: string;
  job_id: string;
  unit: string;
  attempts: number;
  failure?: Failure;
  dead_time: Timestamp;
}

export interface Mesh {
  version: string;
  active_jobs: number;
  max_active_jobs: number;
  live_sessions: number;
  gateways: unknown[];
  stages: { stage: Stage; workers: unknown[]; pending_units: number; running_units: number }[];
}

/** What those may ask who look after the mesh. */
export const admin = {
  keys: async (signal?: AbortSignal) =>
    (await json<{ keys: Key[] }>(await call("/v1/admin/keys", options(signal)))).keys,
  makeKey: async (wanted: { scopes: Scope[]; tenant: string; display_name: string; days: number | null }) =>
    (await json<{ api_key: string }>(await call("/v1/admin/keys", posted(wanted)))).api_key,
  revokeKey: (id: string) => call(`/v1/admin/keys/${encodeURIComponent(id)}`, { method: "DELETE" }),
  audit: async (query: URLSearchParams, signal?: AbortSignal) =>
    json<{ entries: Entry[]; more: boolean }>(await call(`/v1/admin/audit?${query}`, options(signal))),
  mesh: async (signal?: AbortSignal) => json<Mesh>(await call("/v1/admin/mesh", options(signal))),
  letters: async (signal?: AbortSignal) =>
    (await json<{ letters: Letter[] }>(await call("/v1/dead-letters", options(signal)))).letters,
  replay: (id: string) => call(`/v1/dead-letters/${encodeURIComponent(id)}/replay`, { method: "POST" }),
};
