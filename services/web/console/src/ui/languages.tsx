import { spokenName } from "../format";
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
  const shown = useStore(language);
  const codes = !chosen || SPOKEN.includes(chosen) ? SPOKEN : [chosen, ...SPOKEN];
  return (
    <>
      {codes.map((code) => (
        <option key={code} value={code}>
          {spokenName(code, shown)}
        </option>
      ))}
    </>
  );
}
