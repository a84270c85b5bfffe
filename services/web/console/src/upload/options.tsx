import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { api } from "../api/client";
import { FEATURES, type Feature } from "../api/types";
import { useLoaded } from "../api/use";
import { useStore } from "../store";
import { TemplateChoices } from "../templates/choices";
import { LanguageOptions } from "../ui/languages";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import type { Choice } from "./queue";
import { ReadingField } from "./reading_field";
import { hasWords, isTooLong } from "./reading_text";
import { isValidCount, UNKNOWN_COUNT } from "./speaker_count";
import { SpeakerFields } from "./speaker_fields";
import { toggled } from "./toggling";

/** What a choice lacks, as a sentence; empty where nothing. */
export function missingIn(choice: Choice, text: typeof words.value): string {
  if (choice.features.length === 0) return text.upload.needsFeature;
  if (choice.features.includes("summary") && !choice.template) return text.upload.needsTemplate;
  if (choice.features.includes("reading")) {
    if (!hasWords(choice.readingText ?? "")) return text.upload.needsReadingText;
    if (isTooLong(choice.readingText ?? "")) return text.upload.readingTextTooLong;
  }
  const counted = choice.features.includes("speakers") ? choice.speakers : undefined;
  return counted && !isValidCount(counted) ? text.speakers.countInvalid : "";
}

type OptionsProps = {
  choice: Choice;
  choose: (choice: Choice) => void;
  offered?: readonly Feature[];
  children?: ComponentChildren;
};

export function Options({ choice, choose, offered = FEATURES, children }: OptionsProps) {
  const text = useStore(words);
  const { value: templates, problem, again } = useLoaded((signal) => api.templates(signal), []);

  // With the choice as it is by then, since people tick while the templates are still on their way;
  // and before anybody can choose one of them.
  useLayoutEffect(() => {
    const first = templates?.[0];
    if (first && !templates.some((each) => each.template_id === choice.template)) {
      choose({ ...choice, template: first.template_id });
    }
  }, [templates]);

  function toggle(feature: Feature): void {
    choose({ ...choice, features: toggled(choice.features, feature) });
  }

  const template = templates?.find((each) => each.template_id === choice.template);
  return (
    <section class="card options" aria-labelledby="options-title">
      <h2 id="options-title">{text.upload.options}</h2>
      <fieldset>
        <legend>{text.upload.features}</legend>
        {offered.map((feature) => (
          <label key={feature} class="tick">
            <input
              type="checkbox"
              checked={choice.features.includes(feature)}
              onChange={() => toggle(feature)}
            />
            <span>{text.features[feature]}</span>
          </label>
        ))}
      </fieldset>
      {choice.features.includes("speakers") && (
        <SpeakerFields
          count={choice.speakers ?? UNKNOWN_COUNT}
          choose={(speakers) => choose({ ...choice, speakers })}
        />
      )}
      {choice.features.includes("reading") && (
        <ReadingField
          value={choice.readingText ?? ""}
          choose={(readingText) => choose({ ...choice, readingText })}
        />
      )}
      {problem && <ProblemNotice problem={problem} again={again} />}
      {choice.features.includes("summary") && (
        <label>
          <span>{text.upload.template}</span>
          <select
            value={choice.template}
            disabled={!templates}
            onChange={(event) => choose({ ...choice, template: event.currentTarget.value })}
          >
            {templates ? (
              <TemplateChoices templates={templates} />
            ) : (
              <option value="">{text.upload.templatesLoading}</option>
            )}
          </select>
          {template?.description && <small>{template.description}</small>}
        </label>
      )}
      <label>
        <span>{text.upload.spoken}</span>
        <select
          value={choice.language}
          onChange={(event) => choose({ ...choice, language: event.currentTarget.value })}
        >
          <option value="">{text.upload.detect}</option>
          <LanguageOptions chosen={choice.language} />
        </select>
      </label>
      {children}
    </section>
  );
}
