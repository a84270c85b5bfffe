import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { TemplateProblem } from "../api/types";
import { type Draft, schemaOf } from "./draft";

const PAUSE_MS = 400;

type Found = {
  /** What the mesh said last; nothing before it has said so. */
  problems: readonly TemplateProblem[];
  /** Whether it said so of the draft as it is now. */
  isOfNow: boolean;
};

/** What the mesh says is wrong with a draft, a moment after the last change. */
export function useProblems(draft: Draft): Found {
  const [problems, setProblems] = useState<readonly TemplateProblem[]>([]);
  const [checked, setChecked] = useState("");
  const schema = schemaOf(draft);
  const now = JSON.stringify([draft.id, schema, draft.prompt, draft.examples]);
  useEffect(() => {
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setProblems(
          await api.checkTemplate(draft.id, schema, draft.prompt, draft.examples, controller.signal),
        );
      } catch {
        // A save says what is wrong as well.
        if (!controller.signal.aborted) setProblems([]);
      }
      if (!controller.signal.aborted) setChecked(now);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [now]);
  return { problems, isOfNow: checked === now };
}

/** The problem of a place in the schema or of what is in it, but for what is in one of `others`. */
export function problemAt(
  problems: readonly TemplateProblem[],
  pointer: string,
  others: readonly string[] = [],
): TemplateProblem | undefined {
  return problems.find(
    (each) =>
      each.part === "schema_json" &&
      isIn(each.pointer, pointer) &&
      !others.some((other) => isIn(each.pointer, other)),
  );
}

const isIn = (pointer: string, place: string) => pointer === place || pointer.startsWith(`${place}/`);

export function Wrong({ id, problem }: { id?: string; problem: string | undefined }) {
  if (!problem) return null;
  return (
    <p id={id} class="hint bad">
      {problem}
    </p>
  );
}
