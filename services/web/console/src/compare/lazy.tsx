import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../api/client";
import { Loading, ProblemNotice } from "../ui/notices";

/** The page that compares, whose code is loaded when somebody comes to it. */
export function ComparePage() {
  const [Page, setPage] = useState<FunctionComponent | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    import("./page").then(
      (module) => setPage(() => module.Comparison),
      (error) => setProblem(problemOf(error)),
    );
  }, []);
  if (Page) return <Page />;
  return <div class="page">{problem ? <ProblemNotice problem={problem} again={reload} /> : <Loading />}</div>;
}

function reload(): void {
  location.reload();
}
