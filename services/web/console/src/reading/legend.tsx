import { useMemo } from "preact/hooks";
import type { Reading } from "../api/findings";
import { useStore } from "../store";
import { words } from "../words";
import { KINDS, kindOf } from "./outcomes";

/** What the marks of words mean, of those that there are. */
export function Legend({ reading }: { reading: Reading }) {
  const text = useStore(words).reading;
  const there = useMemo(() => new Set(reading.words.map(kindOf)), [reading]);
  return (
    <ul class="marks" aria-label={text.marks}>
      {KINDS.filter((kind) => there.has(kind)).map((kind) => (
        <li key={kind}>
          <span class={`read ${kind}`}>{text.word}</span> {text.kinds[kind]}
        </li>
      ))}
      {(reading.figures?.hesitations ?? 0) > 0 && (
        <li>
          <span class="hesitation">‖0.8 s‖</span> {text.hesitation}
        </li>
      )}
    </ul>
  );
}
