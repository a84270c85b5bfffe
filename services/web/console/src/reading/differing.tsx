import { useMemo, useState } from "preact/hooks";
import type { Reading } from "../api/findings";
import { clock } from "../format";
import { useStore } from "../store";
import { Scrolls } from "../ui/scrolls";
import { language, words } from "../words";
import { twoDigits } from "./chosen";
import { differs, kindOf, spanOf } from "./outcomes";

/** So many rows at a time. */
const ROWS = 100;

type DifferingProps = { reading: Reading; choose: (index: number) => void };

/** The words that were not read as they are written, or sound otherwise. */
export function Differing({ reading, choose }: DifferingProps) {
  const text = useStore(words).reading;
  const shown = useStore(language);
  const [most, setMost] = useState(ROWS);
  const rows = useMemo(
    () => reading.words.map((word, index) => ({ word, index })).filter(({ word }) => differs(word)),
    [reading],
  );
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>{text.differing(rows.length)}</summary>
      <Scrolls label={text.differing(rows.length)}>
        <table>
          <thead>
            <tr>
              <th>{text.time}</th>
              <th>{text.word}</th>
              <th>{text.what}</th>
              <th>{text.heard}</th>
              <th>{text.scoreTitle}</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map(({ word, index }) => {
              const span = spanOf(word);
              return (
                <tr key={index}>
                  <td>{span ? clock(span.start) : "–"}</td>
                  <td>
                    <button type="button" onClick={() => choose(index)}>
                      {word.text}
                    </button>
                  </td>
                  <td>{text.kinds[kindOf(word)]}</td>
                  <td>{word.heard || "–"}</td>
                  <td>{word.score === undefined ? "–" : twoDigits(word.score, shown)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scrolls>
      {rows.length > most && (
        <button type="button" onClick={() => setMost(most + ROWS)}>
          {text.more}
        </button>
      )}
    </details>
  );
}
