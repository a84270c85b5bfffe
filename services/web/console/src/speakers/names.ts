import { useMemo, useState } from "preact/hooks";
import { useAct } from "../api/act";
import { api } from "../api/client";
import type { Job, Speaker } from "../api/types";

const NOBODY: readonly Speaker[] = [];

/** The speakers of a job, with the names that were given on this page, and how to give one. */
export function useSpeakers(job: Job) {
  const loaded = job.results?.speakers ?? NOBODY;
  const [given, setGiven] = useState<{ of: readonly Speaker[]; names: Record<string, string> } | null>(null);
  const { problem, act } = useAct();
  const speakers = useMemo(() => {
    // What is loaded later has the names, and maybe newer ones.
    const names = given?.of === loaded ? given.names : {};
    return loaded.map((each) => ({ ...each, name: names[each.speaker] ?? each.name }));
  }, [loaded, given]);

  /** Gives a speaker a name, which an empty one removes; returns whether that was done. */
  async function rename(speaker: string, name: string): Promise<boolean> {
    const done = await act(() => api.nameSpeaker(job.job_id, speaker, name));
    if (done)
      setGiven((now) => ({
        of: loaded,
        names: { ...(now?.of === loaded ? now.names : {}), [speaker]: name },
      }));
    return done;
  }
  return { speakers, problem, rename };
}
