import type { ComponentChildren } from "preact";
import type { Problem } from "../api/client";
import type { JobState } from "../api/types";
import { useStore } from "../store";
import { words } from "../words";
import { Icon, type IconName } from "./icon";

/** An error as one sentence, and a way to try again where there is one. */
export function ProblemNotice({ problem, again }: { problem: Problem; again?: () => void }) {
  const text = useStore(words).problem;
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <p>{problem.message}</p>
      {again && (
        <button type="button" onClick={again}>
          {text.again}
        </button>
      )}
    </div>
  );
}

export function Loading() {
  const text = useStore(words);
  return (
    <p class="loading" role="status">
      {text.loading}
    </p>
  );
}

type EmptyProps = { icon: IconName; title: string; hint: string; children?: ComponentChildren };

export function Empty({ icon, title, hint, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      <p>{hint}</p>
      {children}
    </div>
  );
}

const TONES: Record<JobState, string> = {
  PENDING: "calm",
  PREPROCESSING: "busy",
  PROCESSING_ASR: "busy",
  PROCESSING_LLM: "busy",
  COMPLETE: "good",
  FAILED: "bad",
  CANCELLED: "calm",
};

export function StateBadge({ state }: { state: JobState }) {
  const text = useStore(words);
  return <span class={`badge ${TONES[state]}`}>{text.states[state]}</span>;
}
