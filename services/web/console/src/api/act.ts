import { useState } from "preact/hooks";
import { type Problem, problemOf } from "./client";

/** Does something, and keeps the problem where it fails; `act` returns whether it was done. */
export function useAct(afterwards: () => void = () => {}) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  async function act(work: () => Promise<unknown>): Promise<boolean> {
    setProblem(null);
    setBusy(true);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(problemOf(error));
      return false;
    } finally {
      setBusy(false);
      afterwards();
    }
  }
  return { problem, busy, act };
}
