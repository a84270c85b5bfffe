import { useState } from "preact/hooks";
import type { Feature } from "../api/types";
import { moment } from "../format";
import { go } from "../router";
import { SoundSources } from "../sound/choice";
import { FIRST_SOUND } from "../sound/sources";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notices";
import { missingIn, Options } from "../upload/options";
import { language, words } from "../words";
import { toggleFullScreen, useKey } from "./projector";
import { RunningSession } from "./running";
import { type LiveChoice, session, startSession } from "./session";

// Figures of the enhancement are about recordings.
const OFFERED: readonly Feature[] = ["clean_transcript", "summary", "digest", "raw_transcript"];
const FIRST_CHOICE: LiveChoice = {
  features: ["clean_transcript", "summary"],
  template: "",
  language: "",
  sound: FIRST_SOUND,
  keepAudio: true,
  severalSpeakers: false,
  name: "",
};

export function LivePage() {
  const text = useStore(words).live;
  const { phase } = useStore(session);
  const [choice, setChoice] = useState(FIRST_CHOICE);
  const isIdle = phase === "idle" || phase === "starting";
  useKey("f", () => {
    go("/live/captions");
    toggleFullScreen();
  });
  return (
    <div class="page live">
      <div class="title">
        <h1>{text.title}</h1>
        <a class="button" href="/live/captions" target="maie-captions">
          <Icon name="screen" />
          {text.otherWindow}
        </a>
      </div>
      {isIdle ? <Beginning choice={choice} choose={setChoice} /> : <RunningSession />}
    </div>
  );
}

function Beginning({ choice, choose }: { choice: LiveChoice; choose: (choice: LiveChoice) => void }) {
  const text = useStore(words);
  const shown = useStore(language);
  const { phase, problem } = useStore(session);
  const missing = missingIn(choice, text);
  const hasSound = choice.sound.microphone || choice.sound.tab;

  function begin(event: SubmitEvent): void {
    event.preventDefault();
    const name = choice.name.trim() || text.live.nameAt(moment(new Date().toISOString(), shown));
    void startSession({ ...choice, name });
  }
  return (
    <form class="columns" onSubmit={begin}>
      <div class="wide">
        <section class="card" aria-label={text.sound.sources}>
          <p class="soft">{text.live.intro}</p>
          <SoundSources choice={choice.sound} choose={(sound) => choose({ ...choice, sound })} />
          <label>
            <span>{text.live.name}</span>
            <input
              value={choice.name}
              maxLength={200}
              onInput={(event) => choose({ ...choice, name: event.currentTarget.value })}
            />
          </label>
          <div class="buttons">
            <button
              type="submit"
              class="primary"
              disabled={phase === "starting" || missing !== "" || !hasSound}
            >
              <Icon name="microphone" />
              {phase === "starting" ? text.live.beginning : text.live.begin}
            </button>
          </div>
          {missing && (
            <p class="hint bad" role="alert">
              {missing}
            </p>
          )}
          {problem && <ProblemNotice problem={problem} />}
        </section>
        <p class="soft">{text.live.keys}</p>
      </div>
      <Options choice={choice} choose={(changed) => choose({ ...choice, ...changed })} offered={OFFERED}>
        <label class="tick">
          <input
            type="checkbox"
            checked={choice.keepAudio}
            onChange={() => choose({ ...choice, keepAudio: !choice.keepAudio })}
          />
          <span>{text.live.keepAudio}</span>
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={choice.severalSpeakers}
            onChange={() => choose({ ...choice, severalSpeakers: !choice.severalSpeakers })}
          />
          <span>{text.live.severalSpeakers}</span>
        </label>
      </Options>
    </form>
  );
}
