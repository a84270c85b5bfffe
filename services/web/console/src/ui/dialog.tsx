import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useStore } from "../store";
import { words } from "../words";
import { Icon } from "./icon";

type DialogProps = { title: string; close: () => void; children: ComponentChildren };

/** A dialog over the page with a title; Escape and its cross close it. */
export function Dialog({ title, close, children }: DialogProps) {
  const text = useStore(words);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="titled" onClose={close} aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <button type="button" class="quiet" title={text.close} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
          <span class="unseen">{text.close}</span>
        </button>
      </div>
      {children}
    </dialog>
  );
}
