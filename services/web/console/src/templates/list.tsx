import { api } from "../api/client";
import type { Template } from "../api/types";
import { useLoaded } from "../api/use";
import { Link } from "../router";
import { useStore } from "../store";
import { Empty, Loading, ProblemNotice } from "../ui/notices";
import { words } from "../words";

/** All templates: one's own, and those that come with the deployment. */
export function TemplatesPage() {
  const text = useStore(words).templates;
  const { value, problem, again } = useLoaded((signal) => api.templates(signal), []);
  const own = value?.filter((each) => each.version > 0) ?? [];
  const shipped = value?.filter((each) => each.version === 0) ?? [];
  return (
    <div class="page templates">
      <div class="title">
        <h1>{text.title}</h1>
        <Link class="button primary" to="/templates/new">
          {text.create}
        </Link>
      </div>
      <p class="soft">{text.intro}</p>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {!value && !problem && <Loading />}
      {value && (
        <>
          <section aria-labelledby="own-title">
            <h2 id="own-title">{text.own}</h2>
            {own.length ? (
              <Cards templates={own} />
            ) : (
              <Empty icon="edit" title={text.empty} hint={text.emptyHint} />
            )}
          </section>
          <section aria-labelledby="shipped-title">
            <h2 id="shipped-title">{text.shipped}</h2>
            <Cards templates={shipped} />
          </section>
        </>
      )}
    </div>
  );
}

function Cards({ templates }: { templates: readonly Template[] }) {
  const text = useStore(words).templates;
  return (
    <ul class="template-cards">
      {templates.map((each) => (
        <li key={each.template_id} class="card">
          <div>
            <h3>
              <Link to={`/templates/${each.template_id}`}>{each.title || each.template_id}</Link>
            </h3>
            <p class="soft">
              <code>{each.template_id}</code>
              {each.version > 0 && ` · ${text.version(each.version)}`}
            </p>
          </div>
          <p>{each.description}</p>
        </li>
      ))}
    </ul>
  );
}
