import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/client";
import type { Speaker } from "../api/types";
import { percent } from "../format";
import { useStore } from "../store";
import { ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { SpeakerLabel } from "./label";
import { labelOf, namesBeside, SURE_FROM, sharesOf, voiceOf } from "./speakers";

// As the server takes them.
const LONGEST_NAME = 100;

type Rename = (speaker: string, name: string) => Promise<boolean>;
type ListProps = {
  speakers: readonly Speaker[];
  /** How sure their number is, 0 to 1; unset where it was given. */
  confidence?: number | undefined;
  /** Gives names; without it they are read only. */
  rename?: Rename;
  problem?: Problem | null;
};

/** Who speaks in a recording, and what share of the speech is theirs. */
export function Speakers({ speakers, confidence, rename, problem }: ListProps) {
  const text = useStore(words).speakers;
  const shown = useStore(language);
  if (speakers.length === 0) return null;
  return (
    <>
      <ul class="speakers" aria-label={text.title}>
        {sharesOf(speakers).map(({ speaker, share }) => (
          <li key={speaker.speaker}>
            {rename ? (
              <Named speaker={speaker} speakers={speakers} rename={rename} />
            ) : (
              <SpeakerLabel speaker={speaker.speaker} speakers={speakers} />
            )}
            <span class="soft">{percent(share, shown)}</span>
          </li>
        ))}
      </ul>
      {confidence !== undefined && confidence < SURE_FROM && <p class="soft">{text.uncertain}</p>}
      {problem && <ProblemNotice problem={problem} />}
    </>
  );
}

type NamedProps = { speaker: Speaker; speakers: readonly Speaker[]; rename: Rename };

/** A name that a click makes a field. */
function Named({ speaker, speakers, rename }: NamedProps) {
  const text = useStore(words).speakers;
  const [typing, setTyping] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const leaves = useRef(false);
  useLayoutEffect(() => {
    if (!typing && leaves.current) button.current?.focus();
    leaves.current = typing;
  }, [typing]);
  const id = speaker.speaker;
  const label = labelOf(id, speakers, text);
  async function give(name: string): Promise<void> {
    if (name === speaker.name || (await rename(id, name))) setTyping(false);
  }
  if (typing)
    return (
      <NameField
        speaker={speaker}
        label={text.nameOf(label)}
        others={namesBeside(id, speakers)}
        give={give}
        leave={() => setTyping(false)}
      />
    );
  return (
    <button
      ref={button}
      type="button"
      class="voice quiet"
      data-voice={voiceOf(id)}
      title={text.rename(label)}
      onClick={() => setTyping(true)}
    >
      {label}
      <span class="unseen">, {text.renameHint}</span>
    </button>
  );
}

type FieldProps = {
  speaker: Speaker;
  label: string;
  others: readonly string[];
  give: (name: string) => Promise<void>;
  leave: () => void;
};

function NameField({ speaker, label, others, give, leave }: FieldProps) {
  const text = useStore(words).speakers;
  const [name, setName] = useState(speaker.name);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // Before the next key, so that no letter is lost that is typed at once.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await give(name.trim().replaceAll(/\s+/g, " "));
    setBusy(false);
  }
  const suggestions = `names-${speaker.speaker}`;
  return (
    <form class="voice" data-voice={voiceOf(speaker.speaker)} onSubmit={submit}>
      <input
        ref={field}
        aria-label={label}
        placeholder={text.placeholder}
        list={suggestions}
        maxLength={LONGEST_NAME}
        autocomplete="off"
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") leave();
        }}
      />
      <datalist id={suggestions}>
        {others.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <button type="submit" disabled={busy}>
        {text.save}
      </button>
    </form>
  );
}
