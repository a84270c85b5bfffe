import { api } from "../api/client";
import type { Job, TemplateVersion, Timeline, TimelineAttempt } from "../api/types";
import { useLoaded } from "../api/use";
import { clock, moment, percent, seconds, spokenName } from "../format";
import { Labels } from "../library/table";
import { useStore } from "../store";
import { Loading, ProblemNotice } from "../ui/notices";
import { Scrolls } from "../ui/scrolls";
import { language, words } from "../words";
import { useAgain } from "./job";
import { spans } from "./spans";

// So often at most, however fast units end.
const TIMELINE_MS = 2000;

export function Facts({ job }: { job: Job }) {
  const text = useStore(words).recording.facts;
  const shown = useStore(language);
  const { metrics, results } = job;
  const spoken = results?.language_code;
  const facts = [
    [text.added, moment(job.create_time, shown)],
    [text.duration, metrics?.input_duration ? clock(seconds(metrics.input_duration)) : ""],
    [text.language, spoken ? spokenName(spoken, shown) : ""],
    [
      text.processing,
      metrics?.processing_duration ? duration(seconds(metrics.processing_duration), shown) : "",
    ],
    [text.confidence, metrics?.asr_confidence === undefined ? "" : percent(metrics.asr_confidence, shown)],
  ] as const;
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
      {Object.keys(job.labels).length > 0 && (
        <div>
          <dt>{text.labels}</dt>
          <dd>
            <Labels labels={job.labels} />
          </dd>
        </div>
      )}
    </dl>
  );
}

export function duration(time: number, shown: string): string {
  const format = {
    style: "unit",
    unit: "second",
    unitDisplay: "narrow",
    maximumFractionDigits: time < 10 ? 2 : 0,
  } as const;
  return new Intl.NumberFormat(shown, format).format(time);
}

/** The attempts at the units of a job, each with its waiting and its work. */
export function Waterfall({ job }: { job: Job }) {
  const text = useStore(words).recording;
  const { value, problem, again } = useLoaded((signal) => api.timeline(job.job_id, signal), [job.job_id]);
  const ended = job.progress.reduce((sum, each) => sum + each.ended_units, 0);
  useAgain(again, TIMELINE_MS, `${job.state} ${ended}`);
  if (problem) return <ProblemNotice problem={problem} again={again} />;
  if (!value) return <Loading />;
  return (
    <>
      <p class="soft">{text.timelineHint}</p>
      <ol class="waterfall">
        {value.attempts.map((attempt) => (
          <Bar key={`${attempt.unit}/${attempt.attempt}`} timeline={value} attempt={attempt} />
        ))}
      </ol>
    </>
  );
}

function Bar({ timeline, attempt }: { timeline: Timeline; attempt: TimelineAttempt }) {
  const text = useStore(words).recording;
  const shown = useStore(language);
  const span = spans(timeline, attempt);
  const wide = (share: number) => `${100 * share}%`;
  const name = attempt.attempt > 1 ? `${attempt.unit} (${attempt.attempt})` : attempt.unit;
  const [wait, run] = [duration(span.waitSeconds, shown), duration(span.runSeconds, shown)];
  const title = text.attempt(name, wait, run, attempt.worker);
  return (
    <li class={attempt.failure ? "failed" : attempt.stage} title={title}>
      <span class="unit">{name}</span>
      <span class="lane" aria-hidden="true">
        <span class="wait" style={{ left: wide(span.left), width: wide(span.waiting) }} />
        <span class="run" style={{ left: wide(span.left + span.waiting), width: wide(span.running) }} />
      </span>
      <span class="soft">
        <span class="unseen">{title}</span>
        <span aria-hidden="true">{run}</span>
      </span>
      {attempt.failure && <p class="hint bad">{attempt.failure.message}</p>}
    </li>
  );
}

export function Versions({ job }: { job: Job }) {
  const all = useStore(words);
  const text = all.recording;
  const { versions } = job;
  if (!versions) return null;
  return (
    <Scrolls label={text.versions}>
      <table>
        <thead>
          <tr>
            <th>{text.stage}</th>
            <th>{text.engine}</th>
            <th>{text.model}</th>
            <th>{text.library}</th>
            <th>{text.device}</th>
          </tr>
        </thead>
        <tbody>
          {versions.stages.map(({ stage, engine }, index) => (
            <tr key={index}>
              <th>{all.stages[stage] ?? stage}</th>
              <td>{engine?.engine}</td>
              <td>{[engine?.model_name, engine?.model_variant].filter(Boolean).join(" ")}</td>
              <td>{engine?.library}</td>
              <td>{[engine?.device, engine?.compute_type].filter(Boolean).join(" ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft">
        maie {versions.pipeline}
        {versions.template && ` · ${templateOf(versions.template)}`}
      </p>
    </Scrolls>
  );
}

/** A template as "standup v3 0123456789ab"; one that comes with the deployment has no version. */
function templateOf({ template_id, version, sha256 }: TemplateVersion): string {
  return [template_id, version ? `v${version}` : "", sha256.slice(0, 12)].filter(Boolean).join(" ");
}
