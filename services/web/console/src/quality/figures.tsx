import type { ComponentChildren } from "preact";
import type { QualityReport } from "../api/findings";
import { clock, oneDigit, seconds, startOf } from "../format";
import type { Playback } from "../recording/playback";
import { useStore } from "../store";
import { language, words } from "../words";

/** So many places are named. */
const MOST_PLACES = 12;

type FiguresProps = { report: QualityReport; playback: Playback };

/** What was measured, each with what it means; what was not is left out. */
export function Figures({ report, playback }: FiguresProps) {
  const text = useStore(words).quality;
  const shown = useStore(language);
  const one = (value: number) => oneDigit(value, shown);
  const whole = (value: number) => Math.round(value).toLocaleString(shown);
  const share = (value: number) =>
    value.toLocaleString(shown, { style: "percent", maximumFractionDigits: 2 });
  const { echo, hum, loudness_range_lu: range } = report;
  return (
    <dl class="figures">
      <Figure name={text.noise} hint={text.noiseHint}>
        {report.snr_db === undefined ? text.notMeasured : `${whole(report.snr_db)} dB`}
      </Figure>
      {report.loudness_lufs !== undefined && (
        <Figure name={text.loudness} hint={text.loudnessHint}>
          {one(report.loudness_lufs)} LUFS{range !== undefined && `, ${text.range(one(range))}`}
        </Figure>
      )}
      {report.peak_dbfs !== undefined && (
        <Figure name={text.peak} hint={text.peakHint}>
          {one(report.peak_dbfs)} dBFS
        </Figure>
      )}
      <Figure name={text.clipping} hint={text.clippingHint}>
        {report.clipping_ratio ? text.ofSamples(share(report.clipping_ratio)) : text.none}
      </Figure>
      {report.bandwidth_hertz !== undefined && (
        <Figure name={text.bandwidth} hint={text.bandwidthHint}>
          {one(report.bandwidth_hertz / 1000)} kHz
        </Figure>
      )}
      {report.reverberation_seconds !== undefined && (
        <Figure name={text.reverberation} hint={text.reverberationHint}>
          {one(report.reverberation_seconds)} s
        </Figure>
      )}
      <Figure name={text.echo} hint={text.echoHint}>
        {echo ? text.echoAt(whole(1000 * seconds(echo.delay)), whole(-echo.level_db)) : text.none}
      </Figure>
      <Figure name={text.hum} hint={text.humHint}>
        {hum ? text.humAt(String(hum.hertz), whole(hum.level_dbfs)) : text.none}
      </Figure>
      <Figure name={text.dropouts} hint={text.dropoutsHint}>
        {report.dropout_count || text.none}
        <Places report={report} playback={playback} />
      </Figure>
      <Figure name={text.silence} hint={text.silenceHint}>
        {report.silence_share.toLocaleString(shown, { style: "percent" })}
      </Figure>
    </dl>
  );
}

type FigureProps = { name: string; hint: string; children: ComponentChildren };

function Figure({ name, hint, children }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {children}
        <small>{hint}</small>
      </dd>
    </div>
  );
}

/** Where the sound breaks off. */
function Places({ report: { dropouts }, playback }: FiguresProps) {
  const text = useStore(words).recording;
  return (
    <>
      {dropouts.slice(0, MOST_PLACES).map((each) => {
        const start = startOf(each);
        return (
          <button
            key={start}
            type="button"
            class="time"
            aria-label={text.seek(clock(start))}
            onClick={() => playback.seek(start)}
          >
            {clock(start)}
          </button>
        );
      })}
      {dropouts.length > MOST_PLACES && " …"}
    </>
  );
}
