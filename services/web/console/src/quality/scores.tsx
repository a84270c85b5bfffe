import type { QualityReport, ScoreSummary } from "../api/findings";
import { oneDigit } from "../format";
import { useStore } from "../store";
import { language, words } from "../words";
import { gradeOf, SCORES, type Score, shareOf } from "./report";

/** What listeners would say of the whole sound, the speech and the background. */
export function Scores({ report }: { report: QualityReport }) {
  const text = useStore(words).quality;
  return (
    <>
      <p class="soft">{text.scoresHint}</p>
      <dl class="scores">
        {SCORES.map((score) => {
          const summary = report[score];
          return summary && <ScoreOf key={score} score={score} summary={summary} />;
        })}
      </dl>
    </>
  );
}

function ScoreOf({ score, summary }: { score: Score; summary: ScoreSummary }) {
  const text = useStore(words).quality;
  const shown = useStore(language);
  const number = (value: number) => oneDigit(value, shown);
  return (
    <div class={score}>
      <dt>{text.score[score]}</dt>
      <dd>
        <strong>{number(summary.mean)}</strong> {text.ofFive} · {text.grades[gradeOf(summary.mean)]}
        <span class="bar" aria-hidden="true">
          <span style={{ width: `${100 * shareOf(summary.mean)}%` }} />
        </span>
        <small>{text.worstTenth(number(summary.percentile_10))}</small>
      </dd>
    </div>
  );
}
