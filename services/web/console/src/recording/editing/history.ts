/** States of what is being edited, of which one is the present. */
export interface History<State> {
  past: readonly State[];
  present: State;
  future: readonly State[];
  /** What the last change was; the next one of the same kind goes with it. */
  kind: string;
}

// More than anybody goes back by.
const MOST = 500;

export function begin<State>(present: State): History<State> {
  return { past: [], present, future: [], kind: "" };
}

/** Goes on to another state. Changes of one kind, unless it is empty, are undone together. */
export function change<State>(history: History<State>, present: State, kind = ""): History<State> {
  if (present === history.present) return history;
  const together = kind !== "" && kind === history.kind;
  const past = together ? history.past : [...history.past.slice(-MOST), history.present];
  return { past, present, future: [], kind };
}

export function undo<State>(history: History<State>): History<State> {
  const last = history.past.at(-1);
  if (last === undefined) return history;
  const future = [history.present, ...history.future];
  return { past: history.past.slice(0, -1), present: last, future, kind: "" };
}

export function redo<State>(history: History<State>): History<State> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future, kind: "" };
}
