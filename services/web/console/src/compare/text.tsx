import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Speaker } from "../api/types";
import { clock } from "../format";
import { isField } from "../library/keys";
import { type Playback, useDerived } from "../recording/playback";
import { lastBegun } from "../recording/rows";
import { useVisible } from "../recording/visible";
import { SpeakerLabel } from "../speakers/label";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";
import type { ComparedRow, Piece } from "./differences";
import { SIDES, type Side } from "./page";

const LINE_PX = 26;
const LETTERS_PER_LINE = 45;

type Hear = (side: Side, time: number) => void;
type Speakers = Record<Side, readonly Speaker[]>;
type TextProps = {
  rows: readonly ComparedRow[];
  playback: Playback;
  /** Counts what leads to a moment from elsewhere on the page. */
  goTo: number;
  hear: Hear;
  heard: Side;
  speakers: Speakers;
};

/** Two transcripts beside each other; draws only what can be seen of them. */
export function ComparedText({ rows, playback, goTo, hear, heard, speakers }: TextProps) {
  const text = useStore(words).compare;
  const { box, heights, range, draw, reveal, measured } = useVisible(rows, estimate);
  const current = useDerived(playback.time, (time) => lastBegun(rows, time), rows);
  const places = rows.flatMap((row, index) => (row.differs ? [index] : []));
  const [at, setAt] = useState(-1);
  // Keys may come faster than the page is drawn.
  const latest = useRef(at);
  const chosen = places[at] ?? -1;

  function step(by: 1 | -1): void {
    const next = Math.max(0, Math.min(places.length - 1, latest.current + by));
    const index = places[next];
    const row = rows[index ?? -1];
    if (index === undefined || !row) return;
    latest.current = next;
    setAt(next);
    reveal(index);
    hear(heard, row.start);
  }
  useStepKeys(step);
  useEffect(() => {
    if (!goTo) return;
    box.current?.closest("section.card")?.scrollIntoView({ block: "nearest" });
    reveal(lastBegun(rows, playback.time.value));
  }, [goTo]);

  return (
    <>
      <div class="steps">
        <p role="status">{places.length > 0 ? text.place(at + 1, places.length) : text.noDifference}</p>
        {places.length > 0 && (
          <div class="buttons">
            <button type="button" disabled={at <= 0} onClick={() => step(-1)}>
              <Icon name="up" />
              {text.previous}
            </button>
            <button type="button" disabled={at >= places.length - 1} onClick={() => step(1)}>
              <Icon name="down" />
              {text.next}
            </button>
          </div>
        )}
      </div>
      <p class="soft">
        {text.legend} <del>{text.onlyLeft}</del> <ins>{text.onlyRight}</ins>
      </p>
      <section
        ref={box}
        class="transcript compared"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        aria-label={text.transcripts}
        onScroll={draw}
      >
        <div class="strip" style={{ height: `${heights.total}px` }}>
          {rows.slice(range.from, range.to).map((row, offset) => {
            const index = range.from + offset;
            return (
              <Line
                key={row.key}
                row={row}
                top={heights.top(index)}
                measured={(height) => measured(index, height)}
                current={index === current}
                chosen={index === chosen}
                hear={hear}
                speakers={speakers}
              />
            );
          })}
        </div>
      </section>
      <p class="soft keys">{text.keys}</p>
    </>
  );
}

function estimate(row: ComparedRow): number {
  const letters = row.pieces
    .flatMap((piece) => piece.left)
    .reduce((sum, word) => sum + word.text.length + 1, 0);
  return 16 + LINE_PX * Math.max(1, Math.ceil(letters / LETTERS_PER_LINE));
}

type LineProps = {
  row: ComparedRow;
  top: number;
  measured: (height: number) => void;
  current: boolean;
  chosen: boolean;
  hear: Hear;
  speakers: Speakers;
};

function Line({ row, top, measured, current, chosen, hear, speakers }: LineProps) {
  const text = useStore(words);
  const line = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (line.current) measured(line.current.getBoundingClientRect().height);
  });
  const classes = ["line", row.differs ? "differs" : "", current ? "current" : "", chosen ? "chosen" : ""];
  const time = clock(row.start);
  return (
    <div ref={line} class={classes.join(" ")} style={{ top: `${top}px` }} aria-current={chosen || undefined}>
      <button
        type="button"
        class="time"
        aria-label={text.recording.seek(time)}
        onClick={() => hear("left", row.start)}
      >
        {time}
      </button>
      {SIDES.map((side) => (
        <Said key={side} side={side} pieces={row.pieces} hear={hear} speakers={speakers[side]} />
      ))}
    </div>
  );
}

type SaidProps = { side: Side; pieces: readonly Piece[]; hear: Hear; speakers: readonly Speaker[] };

function Said({ side, pieces, hear, speakers }: SaidProps) {
  const text = useStore(words).compare;
  function clicked(event: MouseEvent): void {
    if (!getSelection()?.isCollapsed) return;
    const start = (event.target as Element).closest<HTMLElement>("[data-start]")?.dataset.start;
    if (start !== undefined) hear(side, Number(start));
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button with the time beside it serves the keyboard
    <p class={`said ${side}`} onClick={clicked}>
      <span class="unseen">{text.sides[side]}: </span>
      {pieces.map((piece, index) => (
        <Words key={index} piece={piece} side={side} speakers={speakers} />
      ))}
    </p>
  );
}

type WordsProps = { piece: Piece; side: Side; speakers: readonly Speaker[] };

function Words({ piece, side, speakers }: WordsProps) {
  const said = piece[side].map((word, index) => (
    <span key={index} data-start={word.start}>
      {index > 0 && " "}
      {word.speaker && (
        <>
          <SpeakerLabel speaker={word.speaker} speakers={speakers} />{" "}
        </>
      )}
      {word.text}
    </span>
  ));
  if (said.length === 0) return null;
  if (piece.same) return <>{said} </>;
  return side === "left" ? (
    <>
      <del>{said}</del>{" "}
    </>
  ) : (
    <>
      <ins>{said}</ins>{" "}
    </>
  );
}

/** Keys n and p lead to the next and the previous place where the runs differ. */
function useStepKeys(step: (by: 1 | -1) => void): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent): void {
      const onTrack = event.target instanceof Element && event.target.matches(".track input");
      if (event.ctrlKey || event.metaKey || event.altKey || (isField(event.target) && !onTrack)) return;
      if (event.key === "n") step(1);
      else if (event.key === "p") step(-1);
      else return;
      event.preventDefault();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
