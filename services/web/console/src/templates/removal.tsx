import { useRef, useState } from "preact/hooks";
import { api, type Problem, problemOf } from "../api/client";
import { go } from "../router";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { keepDraft } from "./draft";

/** Deletes a template after a question. */
export function Removal({ id }: { id: string }) {
  const text = useStore(words).templates;
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  async function remove(): Promise<void> {
    dialog.current?.close();
    try {
      await api.deleteTemplate(id);
      keepDraft(id, null);
      go("/templates");
    } catch (error) {
      setProblem(problemOf(error));
    }
  }
  return (
    <div class="buttons">
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>
        {text.remove}
      </button>
      {problem && <ProblemNotice problem={problem} />}
      <dialog ref={dialog} aria-label={text.remove}>
        <p>{text.confirm}</p>
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {text.keep}
          </button>
          <button type="button" class="danger" onClick={() => void remove()}>
            {text.remove}
          </button>
        </div>
      </dialog>
    </div>
  );
}
