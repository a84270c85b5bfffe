import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Problem } from "../api/client";
import { Following } from "../api/following";
import type { Job } from "../api/types";
import { type Loaded, useLoaded } from "../api/use";
import { isFinal } from "../format";

interface News {
  /** What they are news of. */
  of: Job;
  job: Job;
  problem: Problem | null;
}

/** A job with a revision of its transcript, the newest one where it is null, followed until it ends. */
export function useJob(id: string, revision: string | null): Loaded<Job> {
  const loaded = useLoaded((signal) => api.job(id, signal, revision), [id, revision]);
  const { value, again } = loaded;
  const [news, setNews] = useState<News | null>(null);
  useEffect(() => {
    if (!value || isFinal(value.state)) return;
    let latest: News = { of: value, job: value, problem: null };
    const change = (to: Partial<News>) => {
      latest = { ...latest, ...to };
      setNews(latest);
    };
    const following = new Following(value, {
      // Events are those of the newest revision.
      changed: (job) => (revision === null ? change({ job }) : isFinal(job.state) && again()),
      broken: (problem) => change({ problem }),
    });
    return () => following.stop();
  }, [value, revision]);
  if (!news || news.of !== value) return loaded;
  return { value: news.job, problem: news.problem ?? loaded.problem, again };
}

/** Loads again when something changes, at most every so many milliseconds. */
export function useAgain(again: () => void, everyMs: number, what: unknown): void {
  const last = useRef({ what, at: Date.now() });
  useEffect(() => {
    if (last.current.what === what) return;
    const wait = Math.max(0, last.current.at + everyMs - Date.now());
    const timer = setTimeout(() => {
      last.current = { what, at: Date.now() };
      again();
    }, wait);
    return () => clearTimeout(timer);
  }, [what]);
}
