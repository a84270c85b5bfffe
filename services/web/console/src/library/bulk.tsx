import { useState } from "preact/hooks";
import { api, Problem, problemOf } from "../api/client";
import type { Job } from "../api/types";
import { addressOfComparison } from "../compare/address";
import { isFinal } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { Confirm } from "../ui/confirm";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";

type BulkProps = {
  jobs: readonly Job[];
  removing: boolean;
  setRemoving: (on: boolean) => void;
  done: () => void;
};

/** What can be done with the recordings that are selected. */
export function BulkActions({ jobs, removing, setRemoving, done }: BulkProps) {
  const text = useStore(words).library;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [one, other] = jobs.length === 2 ? jobs : [];
  const running = jobs.filter((job) => !isFinal(job.state));
  const retryable = jobs.filter((job) => job.state === "FAILED" || job.state === "CANCELLED");

  async function each(of: readonly Job[], act: (id: string) => Promise<unknown>): Promise<void> {
    setBusy(true);
    setProblem(null);
    const problems: Problem[] = [];
    for (const job of of) {
      try {
        await act(job.job_id);
      } catch (error) {
        problems.push(problemOf(error));
      }
    }
    setBusy(false);
    const [first] = problems;
    if (first) setProblem(new Problem(first.status, first.reason, text.some(problems.length, first.message)));
    else done();
  }

  return (
    <section class="bulk" aria-label={text.selected(jobs.length)}>
      <strong>{text.selected(jobs.length)}</strong>
      <button type="button" disabled={busy || !running.length} onClick={() => each(running, api.cancel)}>
        {text.cancel}
      </button>
      <button type="button" disabled={busy || !retryable.length} onClick={() => each(retryable, api.retry)}>
        {text.retry}
      </button>
      {one && other && (
        <Link class="button" to={addressOfComparison(one.job_id, other.job_id)}>
          {words.value.compare.compare}
        </Link>
      )}
      <button type="button" class="danger" disabled={busy} onClick={() => setRemoving(true)}>
        {text.remove}
      </button>
      {problem && <ProblemNotice problem={problem} />}
      {removing && (
        <Confirm
          question={text.confirm(jobs.length)}
          yes={text.remove}
          no={text.keep}
          confirmed={() => {
            setRemoving(false);
            void each(jobs, api.remove);
          }}
          close={() => setRemoving(false)}
        />
      )}
    </section>
  );
}
