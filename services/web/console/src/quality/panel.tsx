import { api } from "../api/client";
import type { QualityReport } from "../api/findings";
import type { Speaker } from "../api/types";
import { Files } from "../recording/files";
import type { Playback } from "../recording/playback";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";
import { Figures } from "./figures";
import { Plot } from "./plot";
import { Scores } from "./scores";
import "./quality.css";

type PanelProps = { job: string; report: QualityReport; playback: Playback; speakers: readonly Speaker[] };

/** How good a recording sounds: what to expect of it, what listeners would say, and what was measured. */
export function SoundPanel({ job, report, playback, speakers }: PanelProps) {
  const text = useStore(words).quality;
  const { engine } = report;
  return (
    <section class="card sound-quality" aria-labelledby="sound-title">
      <div class="card-head">
        <h2 id="sound-title">{text.title}</h2>
        <Files place={`${api.filesOf(job)}/quality`} names={{ html: text.page, csv: "CSV", json: "JSON" }} />
      </div>
      <Verdict report={report} />
      {report.overall ? (
        <>
          <Scores report={report} />
          <Plot report={report} playback={playback} speakers={speakers} />
        </>
      ) : (
        <p class="soft">{text.nobodySpeaks}</p>
      )}
      <Figures report={report} playback={playback} />
      {engine?.engine && (
        <p class="soft">
          {text.madeBy(`${engine.engine} ${engine.checkpoint_sha256.slice(0, 12)}`, engine.device)}
        </p>
      )}
    </section>
  );
}

/** That the sound is fine; where it is not, a warning stands above, among those of the result. */
function Verdict({ report: { warnings, overall } }: { report: QualityReport }) {
  const text = useStore(words).quality;
  if (warnings.length > 0 || !overall) return null;
  return (
    <p class="verdict">
      <Icon name="check" />
      {text.fine}
    </p>
  );
}
