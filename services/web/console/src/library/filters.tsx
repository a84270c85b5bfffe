import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { STATES } from "../api/types";
import { useLoaded } from "../api/use";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { LanguageOptions } from "../ui/languages";
import { words } from "../words";
import { EVERYTHING, isFiltered, type View } from "./query";

type FiltersProps = {
  view: View;
  show: (changed: Partial<View>) => void;
  input: RefObject<HTMLInputElement | null>;
};

export function Filters({ view, show, input }: FiltersProps) {
  const all = useStore(words);
  const text = all.library;
  const { value: templates } = useLoaded((signal) => api.templates(signal), []);
  return (
    <search class="filters">
      <label class="find">
        <Icon name="search" />
        <span class="unseen">{text.search}</span>
        <input
          ref={input}
          type="search"
          placeholder={text.search}
          value={view.words}
          maxLength={250}
          onInput={(event) => show({ words: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{text.state}</span>
        <select
          value={view.state}
          onChange={(event) =>
            show({ state: STATES.find((each) => each === event.currentTarget.value) ?? "" })
          }
        >
          <option value="">{text.all}</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {all.states[state]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{text.template}</span>
        <select value={view.template} onChange={(event) => show({ template: event.currentTarget.value })}>
          <option value="">{text.all}</option>
          {templates?.map((each) => (
            <option key={each.template_id} value={each.template_id}>
              {each.title || each.template_id}
            </option>
          ))}
        </select>
      </label>
      <TypedFilter name={text.speaker} value={view.speaker} show={(speaker) => show({ speaker })} />
      <label>
        <span>{text.language}</span>
        <select value={view.language} onChange={(event) => show({ language: event.currentTarget.value })}>
          <option value="">{text.all}</option>
          <LanguageOptions chosen={view.language} />
        </select>
      </label>
      <TypedFilter
        name={text.label}
        value={view.label}
        show={(label) => show({ label })}
        placeholder={text.labelHint}
        pattern="[^=]+=.+"
      />
      <label>
        <span>{text.from}</span>
        <input
          type="date"
          value={view.from}
          onChange={(event) => show({ from: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{text.until}</span>
        <input
          type="date"
          value={view.until}
          onChange={(event) => show({ until: event.currentTarget.value })}
        />
      </label>
      {isFiltered(view) && (
        <button type="button" class="quiet" onClick={() => show({ ...EVERYTHING, words: view.words })}>
          {text.clear}
        </button>
      )}
    </search>
  );
}

type TypedFilterProps = {
  name: string;
  value: string;
  show: (typed: string) => void;
  placeholder?: string;
  pattern?: string;
};

/** Counts when it is finished: on Enter, or when the focus leaves. */
function TypedFilter({ name, value, show, ...input }: TypedFilterProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <label>
      <span>{name}</span>
      <input
        {...input}
        value={typed}
        size={12}
        maxLength={250}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={() => show(typed)}
      />
    </label>
  );
}
