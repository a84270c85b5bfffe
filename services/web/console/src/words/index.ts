import { keep, kept } from "../kept";
import { Store } from "../store";
import { de } from "./de";
import { en, type Words } from "./en";

const TEXTS = { en, de };
export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const first: Language = kept("language", LANGUAGES) ?? (navigator.language.startsWith("de") ? "de" : "en");
export const language = new Store<Language>(first);
export const words = new Store<Words>(TEXTS[first]);

export const nameOfLanguage = (which: Language): string => TEXTS[which].name;

export function chooseLanguage(chosen: Language): void {
  keep("language", chosen);
  language.set(chosen);
  words.set(TEXTS[chosen]);
  document.documentElement.lang = chosen;
}
