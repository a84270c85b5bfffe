import { useEffect, useId, useState } from "preact/hooks";
import { api, type Problem, problemOf } from "../api/client";
import type { TemplateProblem } from "../api/types";
import { go } from "../router";
import { useStore } from "../store";
import { useWarningBeforeLeaving } from "../ui/leaving";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { type Draft, formOf, isUnchanged, keepDraft, keptDraft, nameOf, schemaOf, titleOf } from "./draft";
import { FieldRows } from "./field_rows";
import { type Form, pointerOf, unnamed } from "./fields";
import { Json } from "./look";
import { problemAt, useProblems, Wrong } from "./problems";

type EditorProps = {
  start: Draft;
  isNew: boolean;
  /** Called after a save, with the title. */
  saved: (title: string) => void;
  /** Loads what is stored in place of the draft. */
  reload: () => void;
};

/** Edits a template, as a form or as JSON, and saves it as the next version. */
export function Editor({ start, isNew, saved, reload }: EditorProps) {
  const text = useStore(words).templates;
  const name = nameOf(start);
  const [before, setBefore] = useState(start);
  const [draft, setDraft] = useState(() => keptDraft(name) ?? start);
  const [failed, setFailed] = useState<Problem | null>(null);
  const [saving, setSaving] = useState(false);
  const [done, setDone] = useState(0);
  const id = draft.id || (draft.form ? idFor(draft.form.title) : "");
  const { problems: found, isOfNow } = useProblems({ ...draft, id });
  const lacking = draft.form ? unnamed(draft.form.fields) : new Set<number>();
  const isClean = isUnchanged(draft, before);
  useWarningBeforeLeaving(!isClean);
  useEffect(() => keepDraft(name, isClean ? null : draft), [name, isClean, draft]);

  function change(changed: Partial<Draft>): void {
    setDone(0);
    setDraft((current) => ({ ...current, ...changed }));
  }

  async function save(base: number): Promise<void> {
    setSaving(true);
    try {
      const { version } = await api.saveTemplate(id, base, schemaOf(draft), draft.prompt, draft.examples);
      const now = { ...draft, id, base: version };
      // Somebody may have typed on meanwhile.
      setDraft((current) => ({ ...current, id, base: version }));
      setBefore(now);
      keepDraft(name, null);
      setFailed(null);
      setDone(version);
      saved(titleOf(now));
      if (isNew) go(`/templates/${id}`, "replace");
    } catch (error) {
      setFailed(problemOf(error));
    }
    setSaving(false);
  }

  async function saveOnTop(): Promise<void> {
    try {
      await save((await api.templateVersions(id))[0]?.version ?? 0);
    } catch (error) {
      // Somebody deleted it: mine is a new one.
      if (problemOf(error).reason === "TEMPLATE_NOT_FOUND") await save(0);
      else setFailed(problemOf(error));
    }
  }

  const isOutdated = failed?.reason === "TEMPLATE_OUTDATED";
  // Enter right after a problem is mended saves: the mesh checks what it saves.
  const isWrong = isOfNow && found.length > 0;
  const canSave = !saving && !isWrong && lacking.size === 0 && id !== "" && (isNew || !isClean);
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault();
        if (canSave) void save(draft.base);
      }}
    >
      <div class={draft.form ? "columns" : ""}>
        <div class="wide">
          <About draft={draft} id={id} isNew={isNew} problems={found} change={change} />
          <Content draft={draft} problems={found} lacking={lacking} change={change} />
          <Model draft={draft} problems={found} change={change} />
        </div>
        {draft.form && (
          <section class="card preview" aria-labelledby="preview-title">
            <h2 id="preview-title">{text.preview}</h2>
            <Json text={schemaOf(draft)} label={text.schema} />
          </section>
        )}
      </div>
      <div class="save-bar">
        {isOutdated ? (
          <div class="notice bad" role="alert">
            <p>{text.outdated}</p>
            <div class="buttons">
              <button
                type="button"
                onClick={() => {
                  keepDraft(name, null);
                  reload();
                }}
              >
                {text.loadTheirs}
              </button>
              <button type="button" onClick={() => void saveOnTop()}>
                {text.saveMine}
              </button>
            </div>
          </div>
        ) : (
          failed && <ProblemNotice problem={failed} />
        )}
        <p role="status" class="soft">
          {done && isClean
            ? text.saved(done)
            : found.length || lacking.size
              ? text.invalid
              : isClean
                ? ""
                : text.unsaved}
        </p>
        {!isOutdated && (
          <button type="submit" class="primary" disabled={!canSave}>
            {isNew ? text.saveNew : text.save(draft.base + 1)}
          </button>
        )}
      </div>
    </form>
  );
}

type PartProps = {
  draft: Draft;
  problems: readonly TemplateProblem[];
  change: (changed: Partial<Draft>) => void;
};

/** The id, and what lists show. */
function About({ draft, id, isNew, problems, change }: PartProps & { id: string; isNew: boolean }) {
  const text = useStore(words).templates;
  const { form } = draft;
  const set = (changed: Partial<Form>) => form && change({ form: { ...form, ...changed } });
  if (!form && !isNew) return null;
  return (
    <section class="card" aria-label={text.about}>
      {form && (
        <>
          <label>
            <span>{text.templateTitle}</span>
            <input
              value={form.title}
              required
              maxLength={200}
              onInput={(event) => set({ title: event.currentTarget.value })}
            />
            <Wrong problem={problemAt(problems, "/title")?.message} />
          </label>
          <label>
            <span>{text.templateDescription}</span>
            <input
              value={form.description}
              required
              maxLength={2000}
              onInput={(event) => set({ description: event.currentTarget.value })}
            />
            <Wrong problem={problemAt(problems, "/description")?.message} />
          </label>
        </>
      )}
      {isNew && (
        <label>
          <span>{text.id}</span>
          <input
            value={id}
            required
            maxLength={64}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => change({ id: event.currentTarget.value })}
          />
          <small>{text.idHint}</small>
          <Wrong problem={problems.find((each) => each.part === "template_id")?.message} />
        </label>
      )}
    </section>
  );
}

/** The fields as a form, or the schema as JSON. */
function Content({ draft, problems, lacking, change }: PartProps & { lacking: ReadonlySet<number> }) {
  const text = useStore(words).templates;
  const { form } = draft;
  const wrong = useId();
  const asForm = form ?? formOf(draft.json);
  const places = form ? ["/title", "/description", ...form.fields.map((each) => pointerOf(each))] : [];
  const general = problemAt(problems, "", places)?.message;
  return (
    <section class="card" aria-labelledby="fields-title">
      <div class="title">
        <h2 id="fields-title">{text.fields}</h2>
        <div class="buttons">
          <button
            type="button"
            aria-pressed={!!form}
            disabled={!asForm}
            onClick={() => change({ form: asForm })}
          >
            {text.asForm}
          </button>
          <button
            type="button"
            aria-pressed={!form}
            onClick={() => change({ form: null, json: schemaOf(draft) })}
          >
            {text.asJson}
          </button>
        </div>
      </div>
      {form ? (
        <>
          <p class="soft">{text.fieldsHint}</p>
          <FieldRows
            fields={form.fields}
            problems={problems}
            unnamed={lacking}
            change={(fields) => change({ form: { ...form, fields } })}
          />
        </>
      ) : (
        <label>
          <span>{text.schema}</span>
          <textarea
            class="code"
            rows={24}
            spellcheck={false}
            value={draft.json}
            aria-describedby={general ? wrong : undefined}
            onInput={(event) => change({ json: event.currentTarget.value })}
          />
          {!asForm && <small>{text.notAsForm}</small>}
        </label>
      )}
      <Wrong id={wrong} problem={general} />
    </section>
  );
}

/** What only language models read. */
function Model({ draft, problems, change }: PartProps) {
  const text = useStore(words).templates;
  const ofPrompt = problems.find((each) => each.part === "prompt")?.message;
  const ofExamples = problems.find((each) => each.part === "examples_json")?.message;
  return (
    <details class="card" open={!!(ofPrompt || ofExamples) || undefined}>
      <summary>{text.forModels}</summary>
      <label>
        <span>{text.prompt}</span>
        <textarea
          class="code"
          rows={16}
          spellcheck={false}
          value={draft.prompt}
          onInput={(event) => change({ prompt: event.currentTarget.value })}
        />
        <small>{text.promptHint}</small>
        <Wrong problem={ofPrompt} />
      </label>
      <label>
        <span>{text.examples}</span>
        <textarea
          class="code"
          rows={8}
          spellcheck={false}
          value={draft.examples}
          onInput={(event) => change({ examples: event.currentTarget.value })}
        />
        <small>{text.examplesHint}</small>
        <Wrong problem={ofExamples} />
      </label>
    </details>
  );
}

/** An id that a title suggests. */
function idFor(title: string): string {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 64);
}
