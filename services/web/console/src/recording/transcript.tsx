import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Speaker } from "../api/types";
import { clock, percent } from "../format";
import { SpeakerChoice, SpeakerLabel } from "../speakers/label";
import { choicesOf, voiceOf } from "../speakers/speakers";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { warningText } from "../warnings/text";
import { language, words } from "../words";
import type { Editor } from "./editing/editor";
import { EditedLine } from "./editing/line";
import { type Playback, useDerived } from "./playback";
import { lastBegun, type Row, segmentsOf } from "./rows";
import { useVisible } from "./visible";
import { type TimedWord, timedWords } from "./words";

// Words that the recogniser gives less than this are marked.
const UNSURE_BELOW = 0.6;
const LINE_PX = 26;
const LETTERS_PER_LINE = 70;

type TranscriptProps = {
  rows: readonly Row[];
  playback: Playback;
  lit: ReadonlySet<string>;
  goTo: number;
  speakers: readonly Speaker[];
  /** Corrects the lines; without it they are read only. */
  editor?: Editor;
};

/** A transcript that draws only what can be seen of it, so that one of many hours scrolls smoothly. */
export function Transcript({ rows, playback, lit, goTo, speakers, editor }: TranscriptProps) {
  const text = useStore(words).recording;
  const { box, heights, range, draw, reveal, measured } = useVisible(rows, estimate);
  const choices = useMemo(
    () => (editor ? choicesOf(speakers, segmentsOf(rows)) : []),
    [rows, speakers, editor],
  );
  const [follows, setFollows] = useState(true);
  const current = useDerived(playback.time, (time) => lastBegun(rows, time), rows);

  useEffect(() => {
    if (follows) reveal(current);
  }, [current, follows, heights]);
  useEffect(() => {
    setFollows(true);
    if (goTo) box.current?.closest("section.card")?.scrollIntoView({ block: "nearest" });
    reveal(lastBegun(rows, playback.time.value));
  }, [goTo]);

  const stopFollowing = useCallback(() => setFollows(false), []);
  return (
    <div class="transcript-frame">
      <section
        ref={box}
        class="transcript"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        aria-label={text.transcript}
        onScroll={draw}
        onWheel={stopFollowing}
        onTouchMove={stopFollowing}
        onKeyDown={(event) => {
          if (/^(Arrow(Up|Down)|Page|Home|End)/.test(event.key)) stopFollowing();
        }}
      >
        <div class="strip" style={{ height: `${heights.total}px` }}>
          {rows.slice(range.from, range.to).map((row, offset) => {
            const index = range.from + offset;
            return (
              <Line
                key={row.key}
                row={row}
                index={index}
                top={heights.top(index)}
                current={index === current}
                lit={lit.has(row.key)}
                playback={playback}
                measured={measured}
                speakers={speakers}
                choices={choices}
                {...(editor ? { editor } : {})}
                editBegun={stopFollowing}
              />
            );
          })}
        </div>
      </section>
      {!follows && (
        <button type="button" class="follow" onClick={() => setFollows(true)}>
          {text.follow}
        </button>
      )}
    </div>
  );
}

function estimate(row: Row): number {
  const letters = row.kind === "segment" ? (row.segment.clean_text ?? row.segment.text).length : 60;
  const label = row.kind === "segment" && row.segment.speaker && row.begins ? LINE_PX : 0;
  return 16 + label + LINE_PX * Math.max(1, Math.ceil(letters / LETTERS_PER_LINE));
}

type LineProps = {
  row: Row;
  index: number;
  top: number;
  current: boolean;
  lit: boolean;
  playback: Playback;
  measured: (index: number, height: number) => void;
  speakers: readonly Speaker[];
  /** Whom a line that is corrected may be given to. */
  choices: readonly string[];
  editor?: Editor;
  editBegun: () => void;
};

function Line(props: LineProps) {
  const { row, index, top, current, lit, playback, measured, editor, editBegun } = props;
  const text = useStore(words).recording;
  const shown = useStore(language);
  const line = useRef<HTMLDivElement>(null);
  // Its words are as many as all else on the page, and stay as they are while others are scrolled into sight.
  const said = useMemo(
    () =>
      row.kind === "segment" && (
        <Said row={row} current={current} playback={playback} editor={editor} editBegun={editBegun} />
      ),
    [row, current, playback, editor, editBegun],
  );
  useLayoutEffect(() => {
    if (line.current) measured(index, line.current.getBoundingClientRect().height);
  });
  const classes = ["line", row.kind, current ? "current" : "", lit ? "lit" : ""].join(" ");
  return (
    <div
      ref={line}
      class={classes}
      style={{ top: `${top}px` }}
      data-key={row.key}
      data-voice={row.kind === "segment" && row.segment.speaker ? voiceOf(row.segment.speaker) : undefined}
      aria-current={current || undefined}
    >
      <button
        type="button"
        class="time"
        aria-label={text.seek(clock(row.start))}
        onClick={() => playback.seek(row.start)}
      >
        {clock(row.start)}
      </button>
      <Speaks {...props} />
      {row.kind === "segment" ? (
        said
      ) : (
        <p class="note">
          <Icon name="warning" />
          {row.kind === "warning" ? warningText(row.warning, shown) : suspectText(row.suspect, text)}
        </p>
      )}
    </div>
  );
}

/** Who speaks, where that changes; where lines are corrected, in each of them. */
function Speaks({ row, speakers, choices, editor }: LineProps) {
  const text = useStore(words).speakers;
  if (row.kind !== "segment" || !row.segment.speaker) return null;
  const { speaker } = row.segment;
  if (!editor) return row.begins ? <SpeakerLabel speaker={speaker} speakers={speakers} /> : null;
  return (
    <SpeakerChoice
      speaker={speaker}
      speakers={speakers}
      choices={choices}
      label={text.ofLine(clock(row.start))}
      choose={(chosen) => editor.speak(row.key, chosen)}
    />
  );
}

function suspectText(
  suspect: { text: string; removed: boolean },
  text: typeof words.value.recording,
): string {
  return suspect.removed ? text.suspectRemoved(suspect.text) : text.suspectKept(suspect.text);
}

type SaidProps = {
  row: Row & { kind: "segment" };
  current: boolean;
  playback: Playback;
  editor: Editor | undefined;
  editBegun: () => void;
};

/** What was said: to be read, or typed in where it is being edited. */
function Said({ row, current, playback, editor, editBegun }: SaidProps) {
  if (!editor) return <Spoken row={row} current={current} playback={playback} />;
  return <Editable row={row} current={current} playback={playback} editor={editor} editBegun={editBegun} />;
}

function Editable({ row, current, playback, editor, editBegun }: SaidProps & { editor: Editor }) {
  const text = useStore(words).editing;
  const { focus } = useStore(editor.state);
  const shown = row.segment.clean_text ?? row.segment.text;
  const time = clock(row.start);
  function edit(at: number): void {
    editBegun();
    editor.focus(row.key, at);
  }
  if (focus?.key === row.key)
    return <EditedLine editor={editor} name={row.key} value={shown} at={focus.at} time={time} />;
  return (
    <div class="editable">
      <Spoken row={row} current={current} playback={playback} edit={edit} />
      <button type="button" class="quiet" title={text.editLine(time)} onClick={() => edit(shown.length)}>
        <Icon name="edit" />
        <span class="unseen">{text.editLine(time)}</span>
      </button>
    </div>
  );
}

type SpokenProps = {
  row: Row & { kind: "segment" };
  current: boolean;
  playback: Playback;
  /** Begins to edit at a place of the text, in place of going to the word that was clicked. */
  edit?: (at: number) => void;
};

function Spoken({ row: { segment, start }, current, playback, edit }: SpokenProps) {
  const { recording: text, speakers: speakersText } = useStore(words);
  const shownLanguage = useStore(language);
  const shown = segment.clean_text ?? segment.text;
  const timed = useMemo(() => timedWords(shown, segment.words), [segment, shown]);
  const spoken = useDerived(playback.time, (time) => (current ? wordAt(timed, time) : -1), current);
  const unsure = segment.words.length === 0 && (segment.confidence ?? 1) < UNSURE_BELOW;
  function clicked(event: MouseEvent): void {
    if (!getSelection()?.isCollapsed) return;
    const index = (event.target as Element).closest<HTMLElement>("[data-word]")?.dataset.word;
    const word = timed[Number(index ?? -1)];
    if (edit) {
      edit(placeOf(timed, Number(index ?? timed.length)));
      return;
    }
    playback.seek(word && segment.words.length ? word.start : start);
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button with the time beside it serves the keyboard
    <p class={unsure ? "spoken unsure" : "spoken"} onClick={clicked}>
      {timed.map(({ text: word, confidence }, index) => {
        const doubtful = confidence !== null && confidence < UNSURE_BELOW;
        return [
          <span
            key={index}
            data-word={index}
            class={[doubtful ? "unsure" : "", index === spoken ? "now" : ""].join(" ")}
            title={doubtful ? text.unsure(percent(confidence, shownLanguage)) : undefined}
          >
            {word}
          </span>,
          " ",
        ];
      })}
      {segment.overlapped && (
        <span class="overlapped" title={speakersText.overlappedHint}>
          {speakersText.overlapped}
        </span>
      )}
    </p>
  );
}

/** Where a word ends in the text that the words make. */
function placeOf(timed: readonly TimedWord[], index: number): number {
  const until = timed.slice(0, index + 1);
  return until.reduce((length, word) => length + word.text.length + 1, -1);
}

function wordAt(timed: readonly TimedWord[], time: number): number {
  return timed.findLastIndex((word) => word.start <= time);
}
