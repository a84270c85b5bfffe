import { useState } from "preact/hooks";
import { useAct } from "../api/act";
import { api } from "../api/client";
import { go } from "../router";
import { useStore } from "../store";
import { Confirm } from "../ui/confirm";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { keepDraft } from "./draft";

/** Deletes a template after a question. */
export function Removal({ id }: { id: string }) {
  const text = useStore(words).templates;
  const [asks, setAsks] = useState(false);
  const { problem, act } = useAct();
  function remove(): void {
    setAsks(false);
    void act(async () => {
      await api.deleteTemplate(id);
      keepDraft(id, null);
      go("/templates");
    });
  }
  return (
    <div class="buttons">
      <button type="button" class="danger" onClick={() => setAsks(true)}>
        {text.remove}
      </button>
      {problem && <ProblemNotice problem={problem} />}
      {asks && (
        <Confirm
          question={text.confirm}
          yes={text.remove}
          no={text.keep}
          confirmed={remove}
          close={() => setAsks(false)}
        />
      )}
    </div>
  );
}
