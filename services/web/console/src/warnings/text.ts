import type { Warning } from "../api/types";
import type { Language } from "../words";
import { de } from "./de";
import { Values } from "./values";

/** A language's sentences by the reasons of warnings, and its note on those that are not shown. */
export interface Catalogue {
  reasons: Record<string, (values: Values) => string>;
  more: (count: string, sentence: string) => string;
}

/** The language of the mesh's own sentences. */
export const MESH_LANGUAGE = "en";

export const CATALOGUES: Record<Exclude<Language, typeof MESH_LANGUAGE>, Catalogue> = { de };

/** A warning in a language; in the mesh's own sentence where that language has none for the reason. */
export function warningText(warning: Warning, language: Language): string {
  if (language === MESH_LANGUAGE) return warning.message;
  const { reasons, more } = CATALOGUES[language];
  const sentence = Object.hasOwn(reasons, warning.reason) && reasons[warning.reason];
  if (!sentence) return warning.message;
  const values = new Values(warning, language);
  const count = values.whole("more");
  return count ? more(count, sentence(values)) : sentence(values);
}
