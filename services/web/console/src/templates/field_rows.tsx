import { useId } from "preact/hooks";
import type { TemplateProblem } from "../api/types";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";
import {
  type Field,
  hasLength,
  isGroup,
  isList,
  KINDS,
  type Kind,
  mayBeNull,
  newField,
  pointerOf,
} from "./fields";
import { problemAt, Wrong } from "./problems";

type RowsProps = {
  fields: readonly Field[];
  change: (fields: Field[]) => void;
  problems: readonly TemplateProblem[];
  /** The fields whose name is missing, or there twice. */
  unnamed: ReadonlySet<number>;
  parent?: Field;
};

/** The fields of a template or, one level down, of a group. */
export function FieldRows({ fields, change, problems, unnamed, parent }: RowsProps) {
  const text = useStore(words).templates;
  const put = (index: number, field: Field) =>
    change(fields.map((each, at) => (at === index ? field : each)));
  function move(index: number, by: number): void {
    const moved = [...fields];
    const [field] = moved.splice(index, 1);
    if (field) moved.splice(index + by, 0, field);
    change(moved);
  }
  return (
    <div class="fields">
      <ol>
        {fields.map((field, index) => (
          <li key={field.id}>
            <Row
              field={field}
              parent={parent}
              problems={problems}
              unnamed={unnamed}
              change={(changed) => put(index, changed)}
              up={index > 0 ? () => move(index, -1) : null}
              down={index < fields.length - 1 ? () => move(index, 1) : null}
              remove={() => change(fields.filter((each) => each.id !== field.id))}
            />
          </li>
        ))}
      </ol>
      <button type="button" onClick={() => change([...fields, newField()])}>
        {parent ? text.addIn(parent.title || parent.name) : text.add}
      </button>
    </div>
  );
}

type RowProps = {
  field: Field;
  parent: Field | undefined;
  problems: readonly TemplateProblem[];
  unnamed: ReadonlySet<number>;
  change: (field: Field) => void;
  up: (() => void) | null;
  down: (() => void) | null;
  remove: () => void;
};

function Row({ field, parent, problems, unnamed, change, up, down, remove }: RowProps) {
  const text = useStore(words).templates;
  const wrong = useId();
  const kinds = KINDS.filter((kind) => !parent || !isGroup(kind));
  const place = pointerOf(field, parent);
  const inner = isGroup(field.kind) ? field.fields.map((each) => pointerOf(each, field)) : [];
  const problem = unnamed.has(field.id) ? text.needsName : problemAt(problems, place, inner)?.message;
  const name = field.title || field.name || text.unnamedField;
  const set = (changed: Partial<Field>) => change({ ...field, ...changed });
  function choose(kind: Kind): void {
    const fields = isGroup(kind) && field.fields.length === 0 ? [newField()] : field.fields;
    set({ kind, fields, nullable: field.nullable && mayBeNull(kind) });
  }
  return (
    <fieldset class="field" aria-describedby={problem ? wrong : undefined}>
      <legend class="unseen">{name}</legend>
      <div class="field-row">
        <label>
          <span>{text.name}</span>
          <input
            value={field.name}
            autocomplete="off"
            spellcheck={false}
            aria-invalid={unnamed.has(field.id)}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </label>
        <label>
          <span>{text.kind}</span>
          <select
            value={field.kind}
            onChange={(event) => choose(kinds.find((kind) => kind === event.currentTarget.value) ?? "text")}
          >
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                {text.kinds[kind]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{text.fieldTitle}</span>
          <input value={field.title} onInput={(event) => set({ title: event.currentTarget.value })} />
        </label>
        <div class="moves">
          <Move icon="up" label={text.up(name)} act={up} />
          <Move icon="down" label={text.down(name)} act={down} />
          <Move icon="close" label={text.removeField(name)} act={remove} />
        </div>
      </div>
      <label>
        <span>{text.fieldDescription}</span>
        <input
          value={field.description}
          onInput={(event) => set({ description: event.currentTarget.value })}
        />
      </label>
      {field.kind === "choice" && (
        <label>
          <span>{text.choices}</span>
          <textarea
            rows={3}
            value={field.choices.join("\n")}
            onChange={(event) =>
              set({
                choices: event.currentTarget.value
                  .split("\n")
                  .map((each) => each.trim())
                  .filter(Boolean),
              })
            }
          />
        </label>
      )}
      <div class="field-row limits">
        <Tick label={text.required} on={field.required} set={(required) => set({ required })} />
        {mayBeNull(field.kind) && (
          <Tick label={text.nullable} on={field.nullable} set={(nullable) => set({ nullable })} />
        )}
        {hasLength(field.kind) && (
          <Limit label={text.longest} value={field.longest} set={(longest) => set({ longest })} />
        )}
        {isList(field.kind) && <Limit label={text.most} value={field.most} set={(most) => set({ most })} />}
      </div>
      <Wrong id={wrong} problem={problem} />
      {isGroup(field.kind) && (
        <FieldRows
          fields={field.fields}
          parent={field}
          problems={problems}
          unnamed={unnamed}
          change={(fields) => set({ fields })}
        />
      )}
    </fieldset>
  );
}

type MoveProps = { icon: "up" | "down" | "close"; label: string; act: (() => void) | null };

function Move({ icon, label, act }: MoveProps) {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      disabled={!act}
      onClick={() => act?.()}
    >
      <Icon name={icon} />
    </button>
  );
}

function Tick({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label class="tick">
      <input type="checkbox" checked={on} onChange={() => set(!on)} />
      <span>{label}</span>
    </label>
  );
}

function Limit({ label, value, set }: { label: string; value: number; set: (value: number) => void }) {
  return (
    <label class="limit">
      <span>{label}</span>
      <input
        type="number"
        min={1}
        value={value}
        onInput={(event) => set(Math.trunc(event.currentTarget.valueAsNumber) || 0)}
      />
    </label>
  );
}
