import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import { useLoaded } from "../api/use";
import { isField } from "../library/keys";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { words } from "../words";
import { type Pause, pausesOf } from "./pauses";
import { FASTEST, type Playback, SLOWEST, SPEED_STEP } from "./playback";
import { type Row, segmentsOf } from "./rows";
import { decoded, type Waveform } from "./waveform/bars";
import { Track } from "./waveform/track";

const SPEEDS = Array.from(
  { length: (FASTEST - SLOWEST) / SPEED_STEP + 1 },
  (_, step) => SLOWEST + step * SPEED_STEP,
);

type PlayerProps = {
  /** Where the audio is; null where there is none to be had. */
  files: string | null;
  playback: Playback;
  /** How long the recording is, in seconds; 0 where that is not known. */
  length: number;
  rows: readonly Row[];
  /** The moments that the chosen item of the summary is from. */
  cited: readonly Pause[];
};

export function Player({ files, playback, length, rows, cited }: PlayerProps) {
  const text = useStore(words).recording;
  const duration = Math.max(length, rows.at(-1)?.end ?? 0);
  const notes = rows.filter((row) => row.kind !== "segment");
  const segments = useMemo(() => segmentsOf(rows), [rows]);
  const pauses = useMemo(() => pausesOf(rows, duration), [rows, duration]);
  const { value: hasAudio } = useLoaded(
    async (signal) => files !== null && (await api.hasAudio(files, signal)),
    [files],
  );
  const { value: waveform } = useLoaded(
    async (signal) => (hasAudio && length > 0 ? drawn(files ?? "", signal) : null),
    [files, hasAudio, length > 0],
  );
  const [broken, setBroken] = useState(false);
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (duration) playback.duration.set(duration);
  }, [duration, playback]);
  useEffect(() => {
    playback.pauses = pauses;
  }, [playback, pauses]);
  useEffect(() => {
    playback.attach(hasAudio && !broken ? audio.current : null);
  }, [hasAudio, broken, playback]);
  usePlayerKeys(playback);
  const plays = hasAudio === true && !broken;
  return (
    <section class="player card" aria-label={text.player}>
      {hasAudio && (
        // biome-ignore lint/a11y/useMediaCaption: the transcript on this page is what is said in it
        <audio ref={audio} src={`${files}/audio`} preload="metadata" onError={() => setBroken(true)} />
      )}
      <div class="controls">
        <button type="button" title={text.backward} onClick={() => playback.seek(playback.time.value - 10)}>
          <Icon name="backward" />
          <span class="unseen">{text.backward}</span>
        </button>
        {plays && <PlayButton playback={playback} />}
        <button type="button" title={text.forward} onClick={() => playback.seek(playback.time.value + 10)}>
          <Icon name="forward" />
          <span class="unseen">{text.forward}</span>
        </button>
        <Track
          playback={playback}
          waveform={waveform}
          pauses={pauses}
          notes={notes}
          segments={segments}
          cited={cited}
        />
        {plays && <Skips playback={playback} />}
        {plays && <Speed playback={playback} />}
      </div>
      {hasAudio === false && <p class="soft">{text.noAudio}</p>}
      {broken && <p class="hint bad">{text.notPlayable}</p>}
    </section>
  );
}

/** A recording's waveform; null where it has none. */
async function drawn(files: string, signal: AbortSignal): Promise<Waveform | null> {
  const found = await api.waveform(files, signal);
  return found && decoded(found);
}

function PlayButton({ playback }: { playback: Playback }) {
  const text = useStore(words).recording;
  const playing = useStore(playback.playing);
  const label = playing ? text.pause : text.play;
  return (
    <button type="button" class="primary play" title={label} onClick={() => playback.toggle()}>
      <Icon name={playing ? "pause" : "play"} />
      <span class="unseen">{label}</span>
    </button>
  );
}

function Skips({ playback }: { playback: Playback }) {
  const text = useStore(words).recording;
  const skips = useStore(playback.skips);
  return (
    <button
      type="button"
      class="skips"
      aria-pressed={skips}
      title={text.skipSilence}
      onClick={() => playback.setSkips(!skips)}
    >
      <Icon name="skip" />
      <span class="unseen">{text.skipSilence}</span>
    </button>
  );
}

function Speed({ playback }: { playback: Playback }) {
  const text = useStore(words).recording;
  const speed = useStore(playback.speed);
  return (
    <label class="speed">
      <span class="unseen">{text.speed}</span>
      <select value={speed} onChange={(event) => playback.setSpeed(Number(event.currentTarget.value))}>
        {SPEEDS.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
    </label>
  );
}

function usePlayerKeys(playback: Playback): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onTrack = event.target instanceof Element && event.target.matches(".track input");
      if (isField(event.target) && !onTrack) return;
      const onControl = event.target instanceof Element && event.target.closest("button, a, summary");
      const at = playback.time.value;
      switch (event.key) {
        case " ":
          if (onControl) return;
          playback.toggle();
          break;
        case "ArrowLeft":
          playback.seek(at - 5);
          break;
        case "ArrowRight":
          playback.seek(at + 5);
          break;
        case "j":
          playback.seek(at - 10);
          break;
        case "l":
          playback.seek(at + 10);
          break;
        case "k":
          playback.toggle();
          break;
        case "s":
          playback.setSkips(!playback.skips.value);
          break;
        case "<":
          playback.setSpeed(playback.speed.value - SPEED_STEP);
          break;
        case ">":
          playback.setSpeed(playback.speed.value + SPEED_STEP);
          break;
        default:
          return;
      }
      event.preventDefault();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [playback]);
}
