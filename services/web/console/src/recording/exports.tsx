import type { Job } from "../api/types";
import { Icon } from "../ui/icon";

const FORMATS = {
  pdf: "PDF",
  docx: "Word",
  md: "Markdown",
  txt: "Text",
  srt: "SubRip",
  vtt: "WebVTT",
  tsv: "TSV",
  json: "JSON",
} as const;
const OF_TRANSCRIPT = ["txt", "srt", "vtt", "tsv"];

/** Links to a recording's results as files. */
export function Exports({ job }: { job: Job }) {
  const { results } = job;
  const older = results !== undefined && results.revision !== job.newest_revision;
  const query = older ? `?revision=${results.revision}` : "";
  const transcribed = results?.raw_transcript !== undefined || results?.clean_transcript !== undefined;
  const formats = Object.entries(FORMATS).filter(([name]) => transcribed || !OF_TRANSCRIPT.includes(name));
  return (
    <div class="buttons">
      {formats.map(([name, label]) => (
        <a key={name} class="button" href={`/v1/jobs/${job.job_id}/results/${name}${query}`} download>
          <Icon name="download" />
          {label}
        </a>
      ))}
    </div>
  );
}
