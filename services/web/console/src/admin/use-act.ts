import { useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";

/** Does something, and keeps the problem where it fails; `act` says whether it was done. */
export function useAct(afterwards: () => void = () => {}) {
  const [problem, setProblem] = useState<Problem | null>(null);
  async function act(work: () => Promise<unknown>): Promise<boolean> {
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(problemOf(error));
      return false;
    } finally {
      afterwards();
    }
  }
  return { problem, act };
}
