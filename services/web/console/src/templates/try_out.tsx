import { useState } from "preact/hooks";
import { useAct } from "../api/act";
import { api } from "../api/client";
import { useLoaded } from "../api/use";
import { nameOf } from "../format";
import { go } from "../router";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";

const RECORDINGS = new URLSearchParams({ state: "COMPLETE", page_size: "20" });

/** Summarises one of the last recordings with the saved template. */
export function TryOut({ id }: { id: string }) {
  const text = useStore(words).templates;
  const { value, problem, again } = useLoaded((signal) => api.jobs(RECORDINGS, signal), []);
  const [chosen, setChosen] = useState("");
  const { problem: failed, busy, act } = useAct();
  const recordings = value?.jobs.filter((each) => !each.origin) ?? [];
  const recording = recordings.find((each) => each.job_id === chosen) ?? recordings[0];
  function begin(event: Event): void {
    event.preventDefault();
    if (!recording) return;
    void act(async () => {
      const begun = await api.summarise(recording.job_id, recording.newest_revision, id);
      go(`/recordings/${begun.job_id}`);
    });
  }
  return (
    <section class="card" aria-labelledby="try-title">
      <h2 id="try-title">{text.tryOut}</h2>
      <p class="soft">{recording || !value ? text.tryHint : text.tryEmpty}</p>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {recording && (
        <form class="again" onSubmit={begin}>
          <label>
            <span>{text.recording}</span>
            <select value={recording.job_id} onChange={(event) => setChosen(event.currentTarget.value)}>
              {recordings.map((each) => (
                <option key={each.job_id} value={each.job_id}>
                  {nameOf(each)}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" disabled={busy}>
            {text.tryIt}
          </button>
        </form>
      )}
      {failed && <ProblemNotice problem={failed} />}
    </section>
  );
}
