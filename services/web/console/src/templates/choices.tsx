import type { Template } from "../api/types";
import { useStore } from "../store";
import { words } from "../words";

/** The templates of a select: one's own, then those that come with the deployment. */
export function TemplateChoices({ templates }: { templates: readonly Template[] }) {
  const text = useStore(words).templates;
  const own = templates.filter((each) => each.version > 0);
  const shipped = templates.filter((each) => each.version === 0);
  if (own.length === 0) return <Choices templates={shipped} />;
  return (
    <>
      <optgroup label={text.own}>
        <Choices templates={own} />
      </optgroup>
      <optgroup label={text.shipped}>
        <Choices templates={shipped} />
      </optgroup>
    </>
  );
}

function Choices({ templates }: { templates: readonly Template[] }) {
  return (
    <>
      {templates.map((each) => (
        <option key={each.template_id} value={each.template_id}>
          {each.title || each.template_id}
        </option>
      ))}
    </>
  );
}
