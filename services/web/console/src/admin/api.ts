import { call, json, options, posted } from "../api/client";
import type { Duration, Failure, Stage, Timestamp } from "../api/types";

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
  overlap_end_time?: Timestamp;
  revoke_time?: Timestamp;
}

/** Limits that are counted in the whole mesh. */
export const OF_MESH = ["active_jobs", "audio_hours_per_day", "voices"] as const;
/** Limits that each gateway counts by itself. */
export const OF_GATEWAY = [
  "live_sessions",
  "uploads",
  "streams",
  "watches",
  "requests_per_second",
  "requests_burst",
] as const;
export type Limits = Partial<Record<(typeof OF_MESH)[number] | (typeof OF_GATEWAY)[number], number>>;

export interface Tenant {
  tenant: string;
  use: {
    running_jobs: number;
    held_jobs: number;
    live_sessions: number;
    audio_today?: Duration;
    jobs: string;
    unfinished_uploads: number;
    keys: number;
  };
  limits: Limits;
  own_limits?: Limits;
  limits_revision: string;
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

export interface Engine {
  engine: string;
  library: string;
  model_name: string;
  model_variant: string;
  checkpoint_sha256: string;
  compute_type: string;
  device: string;
}

/** A gateway or a worker. */
export interface MeshPart {
  instance: string;
  version: string;
  slots: number;
  running: unknown[];
  models: { engine: Engine }[];
  errors?: { calls: number; units: number; broker: number; store: number };
}

export interface Queue {
  lane: string;
  pending_units: string;
  running_units: string;
  oldest_age?: Duration;
}

export interface Mesh {
  version: string;
  active_jobs: number;
  max_active_jobs: number;
  held_jobs: number;
  live_sessions: number;
  gateways: MeshPart[];
  stages: { stage: Stage; workers: MeshPart[]; demand: Queue[] }[];
}

/** What those may ask who look after the mesh. */
export const admin = {
  keys: async (signal?: AbortSignal) =>
    (await json<{ keys: Key[] }>(await call("/v1/admin/keys", options(signal)))).keys,
  makeKey: async (wanted: { scopes: Scope[]; tenant: string; display_name: string; days: number | null }) =>
    (await json<{ api_key: string }>(await call("/v1/admin/keys", posted(wanted)))).api_key,
  /** Gives a key another secret; the one before works on for so many hours. */
  rotateKey: async (id: string, overlap_hours: number) => {
    const path = `/v1/admin/keys/${encodeURIComponent(id)}/rotate`;
    return (await json<{ api_key: string }>(await call(path, posted({ overlap_hours })))).api_key;
  },
  revokeKey: (id: string) => call(`/v1/admin/keys/${encodeURIComponent(id)}`, { method: "DELETE" }),
  tenants: async (signal?: AbortSignal) =>
    (await json<{ tenants: Tenant[] }>(await call("/v1/admin/tenants", options(signal)))).tenants,
  setLimits: ({ tenant, limits_revision }: Tenant, limits: Limits) => {
    const body = { limits, base_revision: limits_revision };
    const path = `/v1/admin/tenants/${encodeURIComponent(tenant)}/limits`;
    return call(path, { ...posted(body), method: "PUT" });
  },
  audit: async (query: URLSearchParams, signal?: AbortSignal) =>
    json<{ entries: Entry[]; more: boolean }>(await call(`/v1/admin/audit?${query}`, options(signal))),
  mesh: async (signal?: AbortSignal) => json<Mesh>(await call("/v1/admin/mesh", options(signal))),
  letters: async (signal?: AbortSignal) =>
    (await json<{ letters: Letter[] }>(await call("/v1/dead-letters", options(signal)))).letters,
  replay: (id: string) => call(`/v1/dead-letters/${encodeURIComponent(id)}/replay`, { method: "POST" }),
};
