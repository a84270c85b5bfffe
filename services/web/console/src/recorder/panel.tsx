import { useEffect, useState } from "preact/hooks";
import { useLoaded } from "../api/use";
import { clock, moment } from "../format";
import { SoundSources } from "../sound/choice";
import { Level } from "../sound/level";
import { FIRST_SOUND } from "../sound/sources";
import { useStore } from "../store";
import { Elapsed } from "../ui/elapsed";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notices";
import { uploads } from "../upload/queue";
import { language, words } from "../words";
import type { Kept } from "./kept";
import {
  discard,
  fileOf,
  findUnsent,
  level,
  recorder,
  startRecording,
  stopRecording,
  unsent,
} from "./recorder";

const BEYOND_ANY_END_SECONDS = 1e9;

type PanelProps = { send: (kept: Kept, file: File) => void; disabled: boolean };

/** Records in the browser, and offers what was recorded and not sent. */
export function RecorderPanel({ send, disabled }: PanelProps) {
  const text = useStore(words).recorder;
  const { phase, started, problem } = useStore(recorder);
  const found = useStore(unsent);
  const sending = useStore(uploads);
  const [sound, setSound] = useState(FIRST_SOUND);
  const looked = useLoaded(look, []);
  const offered = found.filter((each) => !sending.some((upload) => upload.id === each.id));
  return (
    <section class="card recorder" aria-labelledby="recorder-title">
      <h2 id="recorder-title">{text.title}</h2>
      {phase === "recording" ? (
        <div class="live-controls">
          <span class="badge bad" role="status">
            {text.recording}
          </span>
          <Elapsed since={started} />
          <Level level={level} name={text.title} />
          <span class="spring" />
          <button type="button" class="primary" onClick={stopRecording}>
            <Icon name="stop" />
            {text.stop}
          </button>
        </div>
      ) : (
        <>
          <SoundSources choice={sound} choose={setSound} />
          <div class="buttons">
            <button
              type="button"
              disabled={phase === "starting" || !(sound.microphone || sound.tab)}
              onClick={() => void startRecording(sound)}
            >
              <Icon name="microphone" />
              {text.begin}
            </button>
          </div>
        </>
      )}
      {problem && <ProblemNotice problem={problem} />}
      {looked.problem && <p class="hint bad">{text.notKept}</p>}
      {offered.length > 0 && (
        <>
          <h3>{text.unsent}</h3>
          <ul class="rows">
            {offered.map((each) => (
              <KeptRow key={each.id} kept={each} send={send} disabled={disabled} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

async function look(): Promise<true> {
  await findUnsent();
  return true;
}

function KeptRow({ kept, send, disabled }: { kept: Kept } & PanelProps) {
  const text = useStore(words).recorder;
  const shown = useStore(language);
  const [discarding, setDiscarding] = useState(false);
  const { value: file, problem } = useLoaded(() => fileOf(kept), [kept.id]);
  return (
    <li class="row">
      <div class="row-head">
        <strong class="name">{moment(new Date(kept.started).toISOString(), shown)}</strong>
        <span class="soft time">{clock(kept.seconds)}</span>
      </div>
      {file && <Listen file={file} />}
      {problem && <p class="hint bad">{text.notRead}</p>}
      {discarding ? (
        <div class="row-head">
          <span>{text.confirm}</span>
          <button type="button" class="danger" onClick={() => void discard(kept.id)}>
            {text.discard}
          </button>
          <button type="button" onClick={() => setDiscarding(false)}>
            {text.keep}
          </button>
        </div>
      ) : (
        <div class="buttons">
          <button
            type="button"
            class="primary"
            disabled={disabled || !file}
            onClick={() => file && send(kept, file)}
          >
            <Icon name="upload" />
            {text.send}
          </button>
          <button type="button" class="quiet" onClick={() => setDiscarding(true)}>
            {text.discard}
          </button>
        </div>
      )}
    </li>
  );
}

function Listen({ file }: { file: File }) {
  const text = useStore(words).recorder;
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (!address) return null;
  return (
    // biome-ignore lint/a11y/useMediaCaption: nothing has read it yet
    <audio controls src={address} aria-label={text.listen} onLoadedMetadata={findLength} />
  );
}

/** Recorders of browsers write no length; a player finds it when it is sent to the end. */
function findLength(event: { currentTarget: HTMLAudioElement }): void {
  const audio = event.currentTarget;
  if (Number.isFinite(audio.duration)) return;
  audio.ondurationchange = () => {
    if (Number.isFinite(audio.duration)) audio.currentTime = 0;
  };
  audio.currentTime = BEYOND_ANY_END_SECONDS;
}
