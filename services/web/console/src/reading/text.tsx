import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Reading, ReadWord } from "../api/findings";
import { oneDigit } from "../format";
import { type Playback, useDerived } from "../recording/playback";
import { lastBegun } from "../recording/rows";
import { useStore } from "../store";
import { language, words } from "../words";
import { type Block, blocksOf, hesitationsOf, kindOf, spokenOf } from "./outcomes";

type TextProps = {
  reading: Reading;
  playback: Playback;
  /** The index of the word that is shown in full; -1 for none. */
  chosen: number;
  choose: (index: number) => void;
};

/** The words of a text, with what became of each. Arrow keys move between them, and Enter chooses one. */
export function ReadText({ reading, playback, chosen, choose }: TextProps) {
  const text = useStore(words).reading;
  const box = useRef<HTMLElement>(null);
  const [at, setAt] = useState(0);
  const blocks = useMemo(() => blocksOf(reading.words), [reading]);
  const pauses = useMemo(() => hesitationsOf(reading), [reading]);
  const spoken = useMemo(() => spokenOf(reading.words), [reading]);
  const playing = useStore(playback.playing);
  const now = useDerived(
    playback.time,
    (time) => {
      const word = playing ? spoken[lastBegun(spoken, time)] : undefined;
      return word && time < word.end ? word.index : -1;
    },
    playing,
  );
  function focus(index: number): void {
    const word = box.current?.querySelector<HTMLElement>(`[data-word="${index}"]`);
    if (!word) return;
    setAt(index);
    word.focus();
  }
  useEffect(() => {
    if (chosen >= 0) focus(chosen);
  }, [chosen]);

  function clicked(event: MouseEvent): void {
    const word = (event.target as Element).closest<HTMLElement>("[data-word]");
    if (!word) return;
    setAt(Number(word.dataset.word));
    choose(Number(word.dataset.word));
  }
  function pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = reading.words.length - 1;
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (next !== undefined) focus(Math.max(0, Math.min(last, next)));
    else if (event.key === "Enter" || event.key === " ") choose(at);
    else return;
    // The keys of the player are others here.
    event.stopPropagation();
    event.preventDefault();
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <section
      ref={box}
      class="read-text"
      role="group"
      dir="auto"
      aria-label={text.text}
      onClick={clicked}
      onKeyDown={pressed}
    >
      {blocks.map((block) => (
        <Words
          key={block.from}
          block={block}
          all={reading.words}
          pauses={pauses}
          at={within(at, block)}
          now={within(now, block)}
          chosen={within(chosen, block)}
        />
      ))}
    </section>
  );
}

function within(index: number, { from, to }: Block): number {
  return index >= from && index < to ? index : -1;
}

type WordsProps = {
  block: Block;
  all: readonly ReadWord[];
  pauses: ReadonlyMap<number, number>;
  at: number;
  now: number;
  chosen: number;
};

/** Words that are drawn again only where one of them is played or chosen. */
function Words({ block: { from, to }, all, pauses, at, now, chosen }: WordsProps) {
  const text = useStore(words).reading;
  const shown = useStore(language);
  return useMemo(
    () => (
      <p>
        {all.slice(from, to).map((word, offset) => {
          const index = from + offset;
          const kind = kindOf(word);
          const pause = pauses.get(index);
          const classes = [
            "read",
            kind,
            word.ends_phrase && "ends",
            index === now && "now",
            index === chosen && "chosen",
          ];
          return [
            // biome-ignore lint/a11y/useSemanticElements: text of buttons does not break into lines as words do
            <span
              key={index}
              role="button"
              tabIndex={index === at ? 0 : -1}
              data-word={index}
              class={classes.filter(Boolean).join(" ")}
              aria-label={kind === "correct" ? undefined : labelOf(word, text)}
              aria-current={index === chosen || undefined}
            >
              {word.text}
            </span>,
            " ",
            pause !== undefined && <span class="hesitation">‖{oneDigit(pause, shown)} s‖ </span>,
          ];
        })}
      </p>
    ),
    [all, from, to, pauses, at, now, chosen, text, shown],
  );
}

/** What became of a word, in words. */
export function labelOf(word: ReadWord, text: typeof words.value.reading): string {
  const label = `${word.text}: ${text.kinds[kindOf(word)]}`;
  return word.heard ? `${label}, ${text.heardAs(word.heard)}` : label;
}
