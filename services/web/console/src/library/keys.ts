import { useLayoutEffect } from "preact/hooks";

interface Actions {
  search: () => void;
  toggle: (id: string) => void;
  remove: () => void;
  clear: () => void;
}

/** Keys of the library, outside of fields and dialogs. */
export function useKeys(actions: Actions): void {
  // Before what was drawn is seen: a key that answers to it finds what it is about.
  useLayoutEffect(() => {
    function pressed(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const row = rowOf(document.activeElement);
      switch (event.key) {
        case "/":
          actions.search();
          break;
        case "ArrowDown":
          move(row, 1);
          break;
        case "ArrowUp":
          move(row, -1);
          break;
        case "x":
          if (!row?.dataset.job) return;
          actions.toggle(row.dataset.job);
          break;
        case "Delete":
          actions.remove();
          break;
        case "Escape":
          actions.clear();
          break;
        default:
          return;
      }
      event.preventDefault();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

/** Whether keys write into an element, or change what it has chosen. */
export function isField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

function rowOf(element: Element | null): HTMLElement | null {
  return element?.closest<HTMLElement>("tr[data-job]") ?? null;
}

function move(row: HTMLElement | null, by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("tr[data-job]")];
  const index = row ? rows.indexOf(row) + by : 0;
  rows[index]?.querySelector<HTMLElement>("a.name")?.focus();
}
