import type { Speaker } from "../api/types";
import { useStore } from "../store";
import { words } from "../words";
import { labelOf, voiceOf } from "./speakers";

/** A speaker's name, with the colour beside it. */
export function SpeakerLabel({ speaker, speakers }: { speaker: string; speakers: readonly Speaker[] }) {
  const text = useStore(words).speakers;
  return (
    <span class="voice" data-voice={voiceOf(speaker)}>
      {labelOf(speaker, speakers, text)}
    </span>
  );
}

type ChoiceProps = {
  /** Who speaks now. */
  speaker: string;
  speakers: readonly Speaker[];
  choices: readonly string[];
  label: string;
  choose: (speaker: string) => void;
};

/** Says who speaks in a line that is being corrected; the last choice is a speaker who was not there before. */
export function SpeakerChoice({ speaker, speakers, choices, label, choose }: ChoiceProps) {
  const text = useStore(words).speakers;
  return (
    <span class="voice" data-voice={voiceOf(speaker)}>
      <select
        class="speaker-choice"
        aria-label={label}
        value={speaker}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {choices.map((each, index) => (
          <option key={each} value={each}>
            {index === choices.length - 1 ? text.another : labelOf(each, speakers, text)}
          </option>
        ))}
      </select>
    </span>
  );
}
