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
  rttm: "RTTM",
} as const;
const OF_TRANSCRIPT = ["txt", "srt", "vtt", "tsv"];

type Format = keyof typeof FORMATS;
const ALL = Object.keys(FORMATS) as Format[];

/** Links to a recording's results as files, which are beneath `files`. */
export function Exports({ job, files, only = ALL }: { job: Job; files: string; only?: readonly Format[] }) {
  const { results } = job;
  const older = results !== undefined && results.revision !== job.newest_revision;
  const query = older ? `?revision=${results.revision}` : "";
  const transcribed = results?.raw_transcript !== undefined || results?.clean_transcript !== undefined;
  const spoken = (results?.speakers?.length ?? 0) > 0;
  const formats = only.filter(
    (name) => (transcribed || !OF_TRANSCRIPT.includes(name)) && (spoken || name !== "rttm"),
  );
  return (
    <div class="buttons">
      {formats.map((name) => (
        <a key={name} class="button" href={`${files}/results/${name}${query}`} download>
          <Icon name="download" />
          {FORMATS[name]}
        </a>
      ))}
    </div>
  );
}
