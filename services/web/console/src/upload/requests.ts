import { call, options, Problem } from "../api/client";

export const TUS = { "tus-resumable": "1.0.0" };
const GONE = [404, 410];

export interface Remains {
  /** How many bytes the server has. */
  offset: number;
  /** The job that the upload became; null before. */
  jobId: string | null;
}

/** What the server has of an upload; null where it has expired or was removed. */
export async function remainsOf(address: string, signal: AbortSignal): Promise<Remains | null> {
  try {
    const { headers } = await call(address, { method: "HEAD", headers: TUS, ...options(signal) });
    return { offset: Number(headers.get("upload-offset")), jobId: headers.get("maie-job-id") };
  } catch (error) {
    if (error instanceof Problem && isGone(error.status)) return null;
    throw error;
  }
}

/** Whether an upload has expired or was removed, by the status of an answer. */
export function isGone(status: number): boolean {
  return GONE.includes(status);
}

export async function remove(address: string): Promise<void> {
  await call(address, { method: "DELETE", headers: TUS });
}
