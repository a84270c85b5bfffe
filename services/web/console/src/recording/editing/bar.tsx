import { useEffect, useMemo } from "preact/hooks";
import { useStore } from "../../store";
import { Icon } from "../../ui/icon";
import { ProblemNotice } from "../../ui/notices";
import { words } from "../../words";
import type { Editor } from "./editor";

type BarProps = { editor: Editor; reload: () => void };

/** What can be done to the corrections of a transcript, and how they stand. */
export function EditBar({ editor, reload }: BarProps) {
  const text = useStore(words).editing;
  const { on, history, phase, problem, restored, segments } = useStore(editor.state);
  const count = useMemo(() => (on ? editor.edits.length : 0), [on, history, segments]);
  const save = () => void editor.save().then((saved) => saved && reload());
  useEditKeys(editor, save);
  if (!on)
    return (
      <button type="button" onClick={() => editor.turn(true)}>
        <Icon name="edit" />
        {text.edit}
      </button>
    );
  if (phase === "outdated") return <Outdated editor={editor} />;
  return (
    <div class="editing">
      <p class={count ? "edit-state unsaved" : "edit-state"} role="status">
        {phase === "saving"
          ? text.saving
          : count
            ? text.unsaved(count)
            : phase === "saved"
              ? text.saved
              : text.none}
      </p>
      <div class="buttons">
        <button type="button" title={text.undo} disabled={!history.past.length} onClick={() => editor.undo()}>
          <Icon name="undo" />
          <span class="unseen">{text.undo}</span>
        </button>
        <button
          type="button"
          title={text.redo}
          disabled={!history.future.length}
          onClick={() => editor.redo()}
        >
          <Icon name="redo" />
          <span class="unseen">{text.redo}</span>
        </button>
        {count > 0 && (
          <button type="button" disabled={phase === "saving"} onClick={() => editor.discard()}>
            {text.discard}
          </button>
        )}
        <button type="button" onClick={() => editor.turn(false)}>
          {text.done}
        </button>
        <button type="button" class="primary" disabled={!count || phase === "saving"} onClick={save}>
          {text.save}
        </button>
      </div>
      {restored && count > 0 && <p class="soft hint">{text.restored}</p>}
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

function Outdated({ editor }: { editor: Editor }) {
  const text = useStore(words).editing;
  return (
    <div class="notice" role="alert">
      <Icon name="warning" />
      <p>{text.outdated}</p>
      <div class="buttons">
        <button type="button" onClick={() => editor.discard()}>
          {text.loadTheirs}
        </button>
        <button type="button" onClick={() => editor.rebase()}>
          {text.keepMine}
        </button>
      </div>
    </div>
  );
}

function useEditKeys(editor: Editor, save: () => void): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent): void {
      if (!editor.state.value.on || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === "s") save();
      else if (key === "y" || (key === "z" && event.shiftKey)) editor.redo();
      else if (key === "z") editor.undo();
      else return;
      event.preventDefault();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
