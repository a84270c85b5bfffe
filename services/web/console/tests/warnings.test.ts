import { describe, expect, test } from "vitest";
import contract from "../../maie_web/contract/comments.json";
import type { Warning } from "../src/api/types";
import { CATALOGUES, MESH_LANGUAGE, warningText } from "../src/warnings/text";

// What the contract says of warnings (generated from protos/).
const { "maie.common.v1.Warning.reason": OF_REASONS, "maie.common.v1.Warning.metadata": OF_VALUES } =
  contract;
const REASONS = [...OF_REASONS.replace("UPPER_SNAKE_CASE:", "").matchAll(/\b([A-Z_]+): /g)].map(
  ([, reason]) => reason as string,
);
const VALUES = new Map(
  [...OF_VALUES.matchAll(/\b([A-Z_]+): ((?:`\w+`(?:, )?)+)/g)].map(([, reason, keys]) => [
    reason as string,
    [...(keys ?? "").matchAll(/`(\w+)`/g)].map(([, key]) => key as string),
  ]),
);
const TRANSLATED = Object.keys(CATALOGUES) as (keyof typeof CATALOGUES)[];
// By what they are; all others are numbers.
const WORDS: Record<string, string> = { cause: "REPETITION", languages: "de,fr", codecs: "adpcm,dts" };
const MESSAGE = "What the mesh says.";

function warning(reason: string, metadata: Record<string, string> = {}): Warning {
  return { reason, message: MESSAGE, metadata, range: { start_offset: "65s", end_offset: "69s" } };
}

function example(keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key, index) => [key, WORDS[key] ?? String(7 + index)]));
}

/** What is left of a sentence in which a value is missing or unreadable. */
const BROKEN = /undefined|NaN|null|\$\{/;

test("the contract names reasons and their values", () => {
  expect(REASONS.length).toBeGreaterThan(15);
  expect(REASONS).toEqual(expect.arrayContaining([...VALUES.keys()]));
  expect(VALUES.get("POOR_SOUND")).toHaveLength(5);
});

describe.each(TRANSLATED)("in %s", (language) => {
  const { reasons } = CATALOGUES[language];

  test("there are words for each reason of the contract, and for no other", () => {
    expect(Object.keys(reasons).sort()).toEqual(REASONS.toSorted());
  });

  test.each(REASONS)("%s is a sentence with any of its values, and shows each of them", (reason) => {
    const keys = VALUES.get(reason) ?? [];
    const alone = warningText(warning(reason), language);
    const whole = warningText(warning(reason, example(keys)), language);
    const placeless = warningText({ reason, message: MESSAGE }, language);
    for (const sentence of [placeless, alone, whole]) {
      expect(sentence).toMatch(/^[A-ZÄÖÜ0-9].*[.?]$/);
      expect(sentence).not.toMatch(BROKEN);
      expect(sentence).not.toBe(MESSAGE);
    }
    for (const key of keys) {
      const only = warningText(warning(reason, example([key])), language);
      expect(only).not.toMatch(BROKEN);
      const others = keys.filter((each) => each !== key);
      const without = warningText(warning(reason, example(others)), language);
      expect(without).not.toMatch(BROKEN);
      expect([only === alone, without === whole], key).not.toEqual([true, true]);
    }
  });

  test("many warnings of one reason are one with their number", () => {
    const text = warningText(warning("GAP", { more: "1234" }), language);
    expect(text).toContain((1234).toLocaleString(language));
    expect(text).toContain(warningText(warning("GAP"), language));
  });

  test("a reason that the console does not know comes in the mesh's own words", () => {
    expect(warningText(warning("LIVE_BUSY"), language)).toBe(MESSAGE);
    expect(warningText({ reason: "", message: MESSAGE }, language)).toBe(MESSAGE);
    expect(warningText({ reason: "toString", message: MESSAGE }, language)).toBe(MESSAGE);
  });
});

test.each(REASONS)("%s comes in the mesh's own words in their language", (reason) => {
  expect(warningText(warning(reason, example(VALUES.get(reason) ?? [])), MESH_LANGUAGE)).toBe(MESSAGE);
});

test.each([
  [{}, "Im Text sind mehr Fehler zu erwarten, denn der Klang ist schlecht."],
  [
    { snr_db: "3.2", echo_delay_seconds: "0.25", echo_level_db: "-6" },
    "Im Text sind mehr Fehler zu erwarten: Das Rauschen ist nur 3 dB leiser als die Sprache; " +
      "die Sprache hat nach 250 ms ein Echo, das nur 6 dB leiser ist.",
  ],
  [{ snr_db: "-0.79" }, "Im Text sind mehr Fehler zu erwarten: Das Rauschen ist lauter als die Sprache."],
  [{ overall: "1.84" }, "Im Text sind mehr Fehler zu erwarten: Hörer gäben dem Klang die Note 1,8 von 5."],
])("a poor sound with %o has its causes in German", (metadata, text) => {
  expect(warningText(warning("POOR_SOUND", metadata), "de")).toBe(text);
});

test.each([
  ["GAP", ["65s", "69s"], {}, "Die Aufnahme hat von 1:05 bis 1:09 keinen Ton;"],
  ["GAP", ["65s", "69s"], { missing_seconds: "1.25" }, "In der Aufnahme fehlen von 1:05 bis 1:09 1,3 s;"],
  ["DAMAGED", ["65s", "65.050s"], {}, "Die Datei ist bei 1:05 beschädigt;"],
  ["DAMAGED", ["5s", "90s"], { gaps: "12", missing_seconds: "40" }, "Die Aufnahme hat von 0:05 bis 1:30 12"],
  [
    "TRUNCATED",
    ["60s", "61s"],
    { stated_seconds: "61" },
    "Die Datei gibt eine Länge von 1:01 an und endet bei 1:00.",
  ],
] as const)("%s at %o with %o says where in German", (reason, [start_offset, end_offset], metadata, text) => {
  const range = { start_offset, end_offset };
  expect(warningText({ ...warning(reason, metadata), range }, "de")).toContain(text);
});

test.each([
  ["de", "Deutsch"],
  ["de,fr", "Deutsch oder Französisch"],
  ["no tag", "no tag"],
])("the languages %s are %s", (languages, names) => {
  expect(warningText(warning("LANGUAGE_NOT_SUMMARIZED", { languages }), "de")).toContain(
    `kann ${names} nicht`,
  );
});
