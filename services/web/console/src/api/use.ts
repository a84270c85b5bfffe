import { useCallback, useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "./client";
import { whenSeen } from "./seen";

export interface Loaded<Value> {
  value: Value | null;
  problem: Problem | null;
  again: () => void;
}

/**
 * Loads when `keys` change, and again every `everyMs` as long as the page is seen and `goesOn` says so of what came
 * last.
 */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  keys: readonly unknown[],
  repeat?: { everyMs: number; goesOn: (value: Value) => boolean },
): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    setValue(null);
  }, keys);
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    let stop = () => {};
    async function run(): Promise<void> {
      let goesOn = true;
      try {
        const loaded = await load(controller.signal);
        if (controller.signal.aborted) return;
        setValue(() => loaded);
        setProblem(null);
        goesOn = repeat?.goesOn(loaded) ?? false;
      } catch (error) {
        if (controller.signal.aborted) return;
        setProblem(problemOf(error));
      }
      if (!repeat || !goesOn) return;
      timer = setTimeout(() => {
        stop = whenSeen(run);
      }, repeat.everyMs);
    }
    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
      stop();
    };
  }, [...keys, round]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  return { value, problem, again };
}
