import type { Phone, ReadWord } from "../api/findings";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { language, words } from "../words";
import { EVEN_SCORE, spanOf } from "./outcomes";
import { labelOf } from "./text";

type ChosenProps = { word: ReadWord | undefined; play: (of: ReadWord | Phone) => void };

/** What is known of the word that was chosen, with the scores of its sounds. */
export function Chosen({ word, play }: ChosenProps) {
  const text = useStore(words).reading;
  const shown = useStore(language);
  const score = (value: number) => twoDigits(value, shown);
  const span = word && spanOf(word);
  return (
    <div class="chosen-word">
      <p aria-live="polite">
        {word ? (
          <>
            <strong>{labelOf(word, text)}</strong>
            {span && ` · ${text.from(twoDigits(span.start, shown), twoDigits(span.end, shown))}`}
            {word.score !== undefined && ` · ${text.score(score(word.score))}`}
          </>
        ) : (
          <span class="soft">{text.noneChosen}</span>
        )}
      </p>
      {word && word.phones.length > 0 && (
        <>
          <ul class="sounds" aria-label={text.sounds}>
            {word.phones.map((phone, index) => (
              <li key={index}>
                <button
                  type="button"
                  class={phone.score < EVEN_SCORE ? "low" : ""}
                  title={text.playSound}
                  onClick={() => play(phone)}
                >
                  <Icon name="play" />
                  <span>{phone.symbol}</span> {score(phone.score)}
                  {phone.score < EVEN_SCORE && <span class="unseen">, {text.low}</span>}
                </button>
              </li>
            ))}
          </ul>
          <p class="soft">
            {text.soundsHint}
            {word.guessed && ` ${text.guessed}`}
          </p>
        </>
      )}
    </div>
  );
}

export function twoDigits(value: number, shown: string): string {
  return value.toLocaleString(shown, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
