import { useState } from "preact/hooks";
import { useAct } from "../../api/act";
import { api } from "../../api/client";
import type { Job } from "../../api/types";
import { useLoaded } from "../../api/use";
import { go, Link } from "../../router";
import { useStore } from "../../store";
import { TemplateChoices } from "../../templates/choices";
import { ProblemNotice, StateBadge } from "../../ui/notices";
import { words } from "../../words";

/** Another summary of the transcript that is shown, with any template, and those that were made. */
export function SummariseAgain({ job }: { job: Job }) {
  const text = useStore(words).editing;
  const { value: templates } = useLoaded((signal) => api.templates(signal), []);
  const [chosen, setChosen] = useState("");
  const { problem, busy, act } = useAct();
  const template = chosen || job.config?.template_id || templates?.[0]?.template_id || "";
  function begin(event: Event): void {
    event.preventDefault();
    void act(async () => {
      const begun = await api.summarise(job.job_id, job.results?.revision ?? 0, template);
      go(`/recordings/${begun.job_id}`);
    });
  }
  if (!templates?.length) return null;
  return (
    <form class="again" onSubmit={begin}>
      <label>
        <span>{text.template}</span>
        <select value={template} onChange={(event) => setChosen(event.currentTarget.value)}>
          <TemplateChoices templates={templates} />
        </select>
      </label>
      <button type="submit" disabled={busy}>
        {text.again}
      </button>
      {problem && <ProblemNotice problem={problem} />}
    </form>
  );
}

/** Leads from a recording to its further summaries, and from one of these to its recording. */
export function OtherSummaries({ job }: { job: Job }) {
  const text = useStore(words).editing;
  const ids = job.summary_job_ids;
  if (job.origin)
    return (
      <p class="soft">
        {text.summaryOf(job.origin.revision)}{" "}
        <Link to={`/recordings/${job.origin.job_id}`}>{text.toOrigin}</Link>
      </p>
    );
  if (ids.length === 0) return null;
  return (
    <section class="others" aria-label={text.others}>
      <h3>{text.others}</h3>
      <ul>
        {ids.map((id) => (
          <Other key={id} id={id} />
        ))}
      </ul>
    </section>
  );
}

function Other({ id }: { id: string }) {
  const text = useStore(words).editing;
  const { value: job } = useLoaded((signal) => api.job(id, signal), [id]);
  // One that was deleted is not there any more.
  if (!job) return null;
  return (
    <li>
      <Link to={`/recordings/${id}`}>{job.config?.template_id}</Link>
      <span class="soft">{text.ofVersion(job.origin?.revision ?? 0)}</span>
      <StateBadge state={job.state} />
    </li>
  );
}
