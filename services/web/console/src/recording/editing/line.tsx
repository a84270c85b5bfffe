import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "../../store";
import { words } from "../../words";
import type { Editor } from "./editor";

type LineProps = { editor: Editor; name: string; value: string; at: number; time: string };

/** The text of a line while somebody types in it. */
export function EditedLine({ editor, name, value, at, time }: LineProps) {
  const text = useStore(words).editing;
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
    field.current?.setSelectionRange(at, at);
  }, [name, at]);
  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = "0";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [value]);
  function pressed(event: KeyboardEvent): void {
    const { selectionStart: start, selectionEnd: end } = field.current ?? {
      selectionStart: 0,
      selectionEnd: 0,
    };
    const caret = start === end ? start : -1;
    if (event.isComposing) return;
    if (event.key === "Enter") editor.split(name, start);
    else if (event.key === "Backspace" && caret === 0) editor.join(name);
    else if (event.key === "Delete" && caret === value.length) editor.joinNext(name);
    else if (event.key === "Escape") editor.leave(name);
    else return;
    event.preventDefault();
  }
  return (
    <textarea
      ref={field}
      class="spoken"
      rows={1}
      aria-label={text.lineAt(time)}
      value={value}
      onInput={(event) => editor.type(name, event.currentTarget.value.replaceAll(/\s*\n\s*/g, " "))}
      onKeyDown={pressed}
      onBlur={() => editor.leave(name)}
    />
  );
}
