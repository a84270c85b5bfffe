import { useMemo, useState } from "preact/hooks";
import type { QualityReport, QualityWindow } from "../api/findings";
import type { Speaker } from "../api/types";
import { clock, endOf, oneDigit, startOf } from "../format";
import type { Playback } from "../recording/playback";
import { laneLabel } from "../speakers/speakers";
import { useStore } from "../store";
import { language, words } from "../words";
import { curveOf, dotsOf, type Lane, lanesOf, middleOf, nearest, SCORES } from "./report";

type PlotProps = { report: QualityReport; playback: Playback; speakers: readonly Speaker[] };

/** The scores over time; each of their points leads there. */
export function Plot({ report, playback, speakers }: PlotProps) {
  const text = useStore(words);
  const lanes = useMemo(() => lanesOf(report), [report]);
  const [chosen, choose] = useState(0);
  const lane = lanes[chosen];
  if (!lane || lanes.every(({ windows }) => windows.length < 2)) return null;
  const several = lanes.length > 1;
  const title = several
    ? `${text.quality.plot}, ${laneLabel(lane, speakers, text.speakers)}`
    : text.quality.plot;
  return (
    <figure class="plot">
      {several && (
        <label>
          <span>{text.quality.lane}</span>
          <select value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>
            {lanes.map((each, index) => (
              <option key={`${each.track}/${each.channel}`} value={index}>
                {laneLabel(each, speakers, text.speakers)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Curves key={chosen} lane={lane} title={title} report={report} playback={playback} />
      <figcaption class="soft">{text.quality.plotHint}</figcaption>
    </figure>
  );
}

type CurvesProps = Omit<PlotProps, "speakers"> & { lane: Lane; title: string };

function Curves({ lane: { windows }, title, report, playback }: CurvesProps) {
  const text = useStore(words).quality;
  const shown = useStore(language);
  const whole = useStore(playback.duration);
  const [chosen, choose] = useState(-1);
  // The same for each lane, so that they can be compared.
  const duration = Math.max(whole, ...report.windows.map(({ range }) => endOf(range)));
  const curves = useMemo(
    () =>
      SCORES.map((score) => ({
        score,
        path: curveOf(windows, score, duration),
        dots: dotsOf(windows, score, duration),
      })).filter(({ path }) => path),
    [windows, duration],
  );
  function go(index: number): void {
    const window = windows[index];
    if (!window) return;
    choose(index);
    playback.seek(startOf(window.range));
  }
  const at = windows[Math.max(0, chosen)];
  const marked = windows[chosen]?.range;
  const across = (time: number) => (1000 * time) / (duration || 1);
  return (
    <>
      <ul class="curves" aria-hidden="true">
        {curves.map(({ score }) => (
          <li key={score}>
            <svg viewBox="0 0 36 8" aria-hidden="true">
              <g class={score}>
                <path d="M0 4H36" />
              </g>
            </svg>
            {text.score[score]}
          </li>
        ))}
      </ul>
      <div class="chart">
        <div class="scale" aria-hidden="true">
          {[5, 4, 3, 2, 1].map((score) => (
            <span key={score}>{score}</span>
          ))}
        </div>
        <div class="area">
          <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
            {marked && (
              <rect
                class="marked"
                x={across(startOf(marked))}
                width={across(endOf(marked) - startOf(marked))}
                height={100}
              />
            )}
            <path class="grid" d="M0 0H1000M0 25H1000M0 50H1000M0 75H1000M0 100H1000" />
            {report.dropouts.map((each) => {
              const x = across(startOf(each));
              return <path key={x} class="dropout" d={`M${x} 0V100`} />;
            })}
            {curves.map(({ score, path, dots }) => (
              <g key={score} class={score}>
                <path d={path} />
                <path class="dots" d={dots} />
              </g>
            ))}
          </svg>
          <Now playback={playback} duration={duration} />
          <input
            type="range"
            aria-label={title}
            aria-valuetext={at && spoken(at)}
            min={0}
            max={duration || 1}
            step={0.01}
            value={at ? middleOf(at) : 0}
            onInput={(event) => go(nearest(windows, event.currentTarget.valueAsNumber))}
            onKeyDown={(event) => {
              const index = moved(event.key, chosen, windows.length);
              if (index === null) return;
              event.preventDefault();
              go(index);
            }}
          />
        </div>
        <div class="times" aria-hidden="true">
          <span>{clock(0)}</span>
          <span>{clock(duration)}</span>
        </div>
      </div>
      <p class="soft at">{chosen >= 0 && at ? spoken(at) : ""}</p>
    </>
  );

  function spoken({ range, opinion, level_dbfs }: QualityWindow): string {
    const scores = SCORES.flatMap((score) => {
      const value = opinion?.[score];
      return value === undefined ? [] : [`${text.score[score]} ${oneDigit(value, shown)}`];
    });
    const level = level_dbfs === undefined ? [] : [text.level(oneDigit(level_dbfs, shown))];
    return `${clock(startOf(range))} – ${clock(endOf(range))}: ${[...scores, ...level].join(", ")}`;
  }
}

/** Where the player is. */
function Now({ playback, duration }: { playback: Playback; duration: number }) {
  const time = useStore(playback.time);
  return <span class="now" style={{ left: `${(100 * time) / (duration || 1)}%` }} />;
}

/** The point that a key leads to; null for another key. */
function moved(key: string, from: number, count: number): number | null {
  const bounded = (index: number) => Math.max(0, Math.min(count - 1, index));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return bounded(from + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return bounded(from - 1);
    case "PageUp":
      return bounded(from + 10);
    case "PageDown":
      return bounded(from - 10);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
