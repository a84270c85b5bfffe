import { useStore } from "../store";
import { language } from "../words";

// The most spoken languages of those that Whisper reads.
const SPOKEN = [
  "en",
  "de",
  "fr",
  "es",
  "it",
  "pt",
  "nl",
  "pl",
  "tr",
  "ru",
  "uk",
  "ar",
  "hi",
  "zh",
  "ja",
  "ko",
];

/** The options of a choice of a spoken language: the usual ones, and another that is chosen. */
export function LanguageOptions({ chosen = "" }: { chosen?: string }) {
  const names = new Intl.DisplayNames([useStore(language)], { type: "language" });
  const codes = !chosen || SPOKEN.includes(chosen) ? SPOKEN : [chosen, ...SPOKEN];
  return (
    <>
      {codes.map((code) => (
        <option key={code} value={code}>
          {nameOf(names, code)}
        </option>
      ))}
    </>
  );
}

/** What is in an address may be no language at all. */
function nameOf(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}
