import { fetched } from "../api/client";
import type { Choice } from "./queue";
import { TUS } from "./requests";
import { metadataOf, SILENCE_MS } from "./resuming";

const ENDPOINT = "/v1/uploads";

/** Whether what was chosen is more than headers carry, so that an upload begins with a form. */
export function needsForm({ features }: Choice): boolean {
  return features.includes("reading");
}

/** Begins an upload with what was chosen as a form, and gives its address. */
export async function beginWithForm(file: File, key: string, choice: Choice): Promise<string> {
  const form = new FormData();
  for (const [name, value] of Object.entries(metadataOf(file, choice))) form.append(name, value);
  form.append("reading_text", choice.readingText ?? "");
  const headers = { ...TUS, "upload-length": String(file.size), "idempotency-key": key };
  const signal = AbortSignal.timeout(SILENCE_MS);
  const answer = await fetched(ENDPOINT, { method: "POST", headers, body: form, signal });
  return answer.headers.get("location") ?? "";
}
