import type { Template } from "../api/types";
import { useStore } from "../store";
import { words } from "../words";

/** A template that is only looked at. */
export function Look({ template }: { template: Template }) {
  const text = useStore(words).templates;
  return (
    <section class="card" aria-label={template.title}>
      <p>{template.description}</p>
      <h2>{text.schema}</h2>
      <Json text={template.schema_json} label={text.schema} />
      <h2>{text.prompt}</h2>
      <Json text={template.prompt} label={text.prompt} />
      {template.examples_json && (
        <>
          <h2>{text.examples}</h2>
          <Json text={template.examples_json} label={text.examples} />
        </>
      )}
    </section>
  );
}

/** Text as it is, which scrolls by keys, too. */
export function Json({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <section class="code-box" aria-label={label} tabIndex={0}>
      <pre class="code">{text}</pre>
    </section>
  );
}
