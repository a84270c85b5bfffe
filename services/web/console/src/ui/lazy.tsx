import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";
import { Loading, ProblemNotice } from "./notices";

type Frame = FunctionComponent<{ children: ComponentChildren }>;

/** A component whose code is loaded where it is first shown; until then a frame says so. */
export function lazy<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
  Frame: Frame,
): FunctionComponent<Props> {
  return function Lazy(props: Props) {
    const [Loaded, setLoaded] = useState<FunctionComponent<Props> | null>(null);
    const [problem, setProblem] = useState<Problem | null>(null);
    useEffect(() => {
      load().then(
        (component) => setLoaded(() => component),
        (error) => setProblem(problemOf(error)),
      );
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return <Frame>{problem ? <ProblemNotice problem={problem} again={reload} /> : <Loading />}</Frame>;
  };
}

function reload(): void {
  location.reload();
}
