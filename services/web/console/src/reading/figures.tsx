import type { Reading } from "../api/findings";
import { oneDigit } from "../format";
import { useStore } from "../store";
import { language, words } from "../words";
import { countsOf, readingSeconds } from "./outcomes";

/** The reading in numbers. */
export function Figures({ reading }: { reading: Reading }) {
  const text = useStore(words).reading;
  const shown = useStore(language);
  const { figures } = reading;
  if (!figures) return null;
  const counts = countsOf(reading);
  const share = figures.correct / (figures.words || 1);
  const percent = share.toLocaleString(shown, { style: "percent", maximumFractionDigits: 1 });
  const rows: readonly [string, string | number][] = [
    [text.perMinute, Math.round(figures.words_correct_per_minute)],
    [text.right, text.rightOf(figures.correct, figures.words, percent)],
    [text.wrong, figures.wrong],
    [text.skipped, figures.skipped],
    [text.unreached, counts.unreached],
    [text.inserted, figures.inserted],
    [text.repeated, figures.repeated],
    [text.fillers, figures.fillers],
    [text.hesitations, figures.hesitations],
    [text.pauses, text.pausesOf(counts.pauses, oneDigit(counts.pauseSeconds, shown))],
    [text.duration, `${oneDigit(readingSeconds(reading), shown)} s`],
  ];
  return (
    <dl class="figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
