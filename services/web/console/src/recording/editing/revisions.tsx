import { useAct } from "../../api/act";
import { api } from "../../api/client";
import type { Job, Revision } from "../../api/types";
import { useLoaded } from "../../api/use";
import { moment } from "../../format";
import { Link } from "../../router";
import { useStore } from "../../store";
import { ProblemNotice } from "../../ui/notices";
import { language, words } from "../../words";

type RevisionsProps = { job: Job; shown: number; reload: () => void };

/** Who corrected the transcript and when, with ways back. */
export function Revisions({ job, shown, reload }: RevisionsProps) {
  const text = useStore(words).editing;
  const { value, problem, again } = useLoaded(
    (signal) => api.revisions(job.job_id, signal),
    [job.job_id, job.newest_revision],
  );
  const { problem: failed, act } = useAct(reload);
  const revert = (revision: number) => act(() => api.revert(job.job_id, job.newest_revision, revision));
  if (problem) return <ProblemNotice problem={problem} again={again} />;
  const original = { revision: 0 } as const;
  return (
    <>
      <ol class="revisions">
        {[...(value ?? []), original].map((each) => (
          <Entry key={each.revision} job={job} revision={each} shown={shown} revert={revert} />
        ))}
      </ol>
      {failed && <ProblemNotice problem={failed} />}
      <p class="soft">{text.historyHint}</p>
    </>
  );
}

type EntryProps = {
  job: Job;
  revision: Revision | { revision: 0 };
  shown: number;
  revert: (revision: number) => Promise<unknown>;
};

function Entry({ job, revision: of, shown, revert }: EntryProps) {
  const text = useStore(words).editing;
  const spoken = useStore(language);
  const number = of.revision;
  const newest = number === job.newest_revision;
  const saved = "author" in of ? of : null;
  const path = `/recordings/${job.job_id}${newest ? "" : `?revision=${number}`}`;
  return (
    <li aria-current={number === shown || undefined}>
      <div>
        <strong>{number ? text.revision(number) : text.original}</strong>
        {saved && (
          <span class="soft">
            {[saved.author, moment(saved.save_time, spoken)].join(" · ")}
            {" · "}
            {saved.reverted_to === undefined
              ? text.changed(saved.changed_segments)
              : text.reverted(saved.reverted_to)}
          </span>
        )}
      </div>
      <div class="buttons">
        {number !== shown && (
          <Link to={path} class="button">
            {text.view(number)}
          </Link>
        )}
        {!newest && (
          <button type="button" onClick={() => void revert(number)}>
            {text.revert(number)}
          </button>
        )}
      </div>
    </li>
  );
}
