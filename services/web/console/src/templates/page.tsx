import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { SavedTemplate, Template } from "../api/types";
import { useLoaded } from "../api/use";
import { Link, place } from "../router";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { Loading, ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { draftOf, emptyDraft } from "./draft";
import { Editor } from "./editor";
import { Look } from "./look";
import { Removal } from "./removal";
import { TryOut } from "./try_out";
import { Versions } from "./versions";

/** A new template, from nothing or from one that is there. */
export function NewTemplatePage() {
  const text = useStore(words).templates;
  const from = useStore(place).query.get("from");
  const { value, problem, again } = useLoaded(
    async (signal) => (from ? await api.template(from, null, signal) : null),
    [from],
  );
  const start = useMemo(() => {
    if (!from) return emptyDraft();
    return value && { ...draftOf(value), id: "", base: 0 };
  }, [from, value]);
  return (
    <div class="page templates">
      <Back />
      <h1>{text.create}</h1>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {start ? <Editor key={from} start={start} isNew saved={() => {}} reload={again} /> : <Loading />}
    </div>
  );
}

/** A template: one's own can be edited, others are looked at. */
export function TemplatePage({ id }: { id: string }) {
  const version = useStore(place).query.get("version");
  const template = useLoaded((signal) => api.template(id, version, signal), [id, version]);
  const versions = useLoaded((signal) => api.templateVersions(id, signal), [id]);
  const problem = template.problem ?? versions.problem;
  function reload(): void {
    template.again();
    versions.again();
  }
  return (
    <div class="page templates">
      <Back />
      {problem && <ProblemNotice problem={problem} again={reload} />}
      {template.value && versions.value ? (
        <Shown
          key={template.value.version}
          template={template.value}
          versions={versions.value}
          saved={versions.again}
          reload={reload}
        />
      ) : (
        !problem && <Loading />
      )}
    </div>
  );
}

type ShownProps = {
  template: Template;
  versions: readonly SavedTemplate[];
  /** Somebody saved here. */
  saved: () => void;
  reload: () => void;
};

function Shown({ template, versions, saved, reload }: ShownProps) {
  const text = useStore(words).templates;
  const id = template.template_id;
  const isAsked = useStore(place).query.has("version");
  const start = useMemo(() => draftOf(template), [template]);
  const [title, setTitle] = useState(template.title);
  function savedAs(named: string): void {
    setTitle(named);
    saved();
  }
  if (template.version === 0)
    return (
      <>
        <h1>{template.title}</h1>
        <p class="notice calm">
          <span>{text.isShipped}</span>
          <Link class="button" to={`/templates/new?from=${id}`}>
            {text.asStart}
          </Link>
        </p>
        <Look template={template} />
      </>
    );
  return (
    <>
      <h1>{title}</h1>
      {isAsked ? (
        <>
          <p class="notice calm" role="status">
            <span>{text.isOld(template.version)}</span>
            <Link class="button" to={`/templates/${id}`}>
              {text.toNewest}
            </Link>
          </p>
          <Look template={template} />
        </>
      ) : (
        <>
          <Editor start={start} isNew={false} saved={savedAs} reload={reload} />
          <TryOut id={id} />
        </>
      )}
      <Versions id={id} versions={versions} shown={isAsked ? template.version : null} />
      <Removal id={id} />
    </>
  );
}

function Back() {
  const text = useStore(words).templates;
  return (
    <Link to="/templates" class="back">
      <Icon name="back" />
      {text.title}
    </Link>
  );
}
