import type { Template } from "../api/types";
import { DEFAULT_PROMPT, type Form, newField, toForm, toSchema, written } from "./fields";

/** A template while somebody edits it. */
export interface Draft {
  id: string;
  /** The version that is edited; 0 for a new template. */
  base: number;
  /** The form; null while the JSON itself is edited. */
  form: Form | null;
  /** The JSON, as somebody typed it, where there is no form. */
  json: string;
  prompt: string;
  examples: string;
}

export const emptyDraft = (): Draft => ({
  id: "",
  base: 0,
  form: { title: "", description: "", fields: [newField()] },
  json: "",
  prompt: DEFAULT_PROMPT,
  examples: "",
});

export function draftOf(template: Template): Draft {
  return {
    id: template.template_id,
    base: template.version,
    form: formOf(template.schema_json),
    json: template.schema_json,
    prompt: template.prompt,
    examples: template.examples_json,
  };
}

/** The schema as it would be saved. */
export function schemaOf(draft: Draft): string {
  return draft.form ? written(toSchema(draft.form)) : draft.json;
}

export function titleOf(draft: Draft): string {
  const schema = JSON.parse(schemaOf(draft)) as { title: string };
  return schema.title;
}

export function formOf(json: string): Form | null {
  try {
    return toForm(JSON.parse(json));
  } catch {
    return null;
  }
}

/** Whether two drafts would be saved as the same; a form may write the same JSON in another way. */
export function isUnchanged(draft: Draft, before: Draft): boolean {
  return (
    draft.id === before.id &&
    draft.prompt === before.prompt &&
    draft.examples === before.examples &&
    schemaOf(draft) === schemaOf(before)
  );
}

const kept = new Map<string, Draft>();

/** What a draft is kept by: its template or, for a new one, what it began with. */
export const nameOf = (start: Draft) => start.id || `new ${start.json}`;

/** A draft that somebody left unsaved for another page of this window. */
export const keptDraft = (name: string) => kept.get(name);

/** Keeps a draft as long as this window is open; null forgets it. */
export function keepDraft(name: string, draft: Draft | null): void {
  if (draft) kept.set(name, draft);
  else kept.delete(name);
}
