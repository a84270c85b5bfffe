import type { Segment } from "../../api/types";
import { clock } from "../../format";
import { useStore } from "../../store";
import { words } from "../../words";
import type { Pause } from "../pauses";
import type { Playback } from "../playback";
import type { Row } from "../rows";
import type { Waveform } from "./bars";
import { Drawing } from "./drawing";
import { Turns } from "./turns";

type TrackProps = {
  playback: Playback;
  /** What is drawn behind the slider; a plain bar where there is none. */
  waveform: Waveform | null;
  pauses: readonly Pause[];
  notes: readonly Row[];
  /** What is said, of which a strip shows the speakers. */
  segments: readonly Segment[];
  /** The moments that the chosen item of the summary is from. */
  cited: readonly Pause[];
};

/** The place in the recording, as a slider, with what is to be known of other places. */
export function Track({ playback, waveform, pauses, notes, segments, cited }: TrackProps) {
  const text = useStore(words).recording;
  const time = useStore(playback.time);
  const duration = useStore(playback.duration);
  return (
    <>
      <span class="time">{clock(time)}</span>
      <div class={waveform ? "track drawn" : "track"}>
        {notes.map((note) => (
          <Mark key={note.key} kind="noted" range={note} duration={duration} />
        ))}
        {cited.map((range) => (
          <Mark key={range.start} kind="cited" range={range} duration={duration} />
        ))}
        <Turns segments={segments} duration={duration} />
        {waveform && <Drawing waveform={waveform} playback={playback} pauses={pauses} />}
        <input
          type="range"
          aria-label={text.position}
          aria-valuetext={clock(time)}
          min={0}
          max={duration || 1}
          step={0.1}
          value={time}
          onInput={(event) => playback.seek(event.currentTarget.valueAsNumber)}
        />
      </div>
      <span class="time">{clock(duration)}</span>
    </>
  );
}

type MarkProps = { kind: "noted" | "cited"; range: Pause; duration: number };

function Mark({ kind, range, duration }: MarkProps) {
  const share = (at: number) => `${(100 * at) / (duration || 1)}%`;
  const width = share(Math.max(0, range.end - range.start));
  return <span class={`mark ${kind}`} style={{ left: share(range.start), width }} />;
}
