import { api } from "../api/client";
import type { Job } from "../api/types";
import { useLoaded } from "../api/use";
import { moment, nameOf } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { StateBadge } from "../ui/notices";
import { language, words } from "../words";
import { addressOfComparison } from "./address";

/** The other jobs of the same recording, each to be compared with this one. */
export function OtherRuns({ job }: { job: Job }) {
  const text = useStore(words).compare;
  const shown = useStore(language);
  const { value: page } = useLoaded(
    async (signal) => {
      if (!job.recording_sha256) return null;
      return api.jobs(new URLSearchParams({ recording: job.recording_sha256 }), signal);
    },
    [job.recording_sha256],
  );
  const others = page?.jobs.filter((each) => each.job_id !== job.job_id) ?? [];
  if (others.length === 0) return null;
  return (
    <section class="card" aria-labelledby="runs-title">
      <h2 id="runs-title">{text.others}</h2>
      <ul class="runs">
        {others.map((other) => (
          <li key={other.job_id}>
            <Link to={`/recordings/${other.job_id}`}>{nameOf(other)}</Link>
            <StateBadge state={other.state} />
            <span class="soft">
              {[moment(other.create_time, shown), other.config?.template_id].filter(Boolean).join(" · ")}
            </span>
            <Link class="button" to={addressOfComparison(job.job_id, other.job_id)}>
              {text.compare}
              <span class="unseen">: {nameOf(other)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
