import { useEffect, useId, useRef } from "preact/hooks";

type ConfirmProps = { question: string; yes: string; no: string; confirmed: () => void; close: () => void };

/** A question over the page about what cannot be undone; Escape is no. */
export function Confirm({ question, yes, no, confirmed, close }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby={id}>
      <p id={id}>{question}</p>
      <div class="buttons">
        <button type="button" onClick={close}>
          {no}
        </button>
        <button type="button" class="danger" onClick={confirmed}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
