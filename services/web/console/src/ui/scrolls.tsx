import type { ComponentChildren } from "preact";

type Named = { label: string; by?: never } | { by: string; label?: never };

/** What scrolls sideways on narrow screens, such as a table; named by a label or by an element's id. */
export function Scrolls({ label, by, children }: Named & { children: ComponentChildren }) {
  return (
    <section
      class="scrolls"
      {...(by ? { "aria-labelledby": by } : { "aria-label": label })}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
    >
      {children}
    </section>
  );
}
