import type { Job, Speaker } from "../api/types";
import { isFinal } from "../format";
import { lazy } from "../ui/lazy";
import type { Playback } from "./playback";

type PanelProps = { job: Job; playback: Playback };

const Sound = lazy(async () => (await import("../quality/panel")).SoundPanel, Card);
const Reading = lazy(async () => (await import("../reading/panel")).ReadingPanel, Card);

function Card({ children }: { children: preact.ComponentChildren }) {
  return <div class="card">{children}</div>;
}

/** How good the recording sounds, where that is known; most recordings do without the code. */
export function SoundOf({ job, playback, speakers }: PanelProps & { speakers: readonly Speaker[] }) {
  const report = isFinal(job.state) && job.results?.quality_report;
  return report ? <Sound job={job.job_id} report={report} playback={playback} speakers={speakers} /> : null;
}

/** How a text was read in the recording, where that is known. */
export function ReadingOf({ job, playback }: PanelProps) {
  const reading = isFinal(job.state) && job.results?.reading;
  return reading ? <Reading job={job.job_id} reading={reading} playback={playback} /> : null;
}
