import { useState } from "preact/hooks";
import { useAct } from "../api/act";
import { useLoaded } from "../api/use";
import { day, moment, seconds } from "../format";
import { Link } from "../router";
import { useStore } from "../store";
import { Confirm } from "../ui/confirm";
import { Empty, Loading, ProblemNotice } from "../ui/notices";
import { language, words } from "../words";
import { type Enrollment, type Voice, voices } from "./api";
import "./voices.css";

/** The people whose voices are kept, and what each agreed to. */
export function VoicesPage() {
  const text = useStore(words).voices;
  const { value, problem, again } = useLoaded((signal) => voices.list(signal), []);
  return (
    <div class="page voices">
      <h1>{text.title}</h1>
      <p class="soft">{text.intro}</p>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {!value && !problem && <Loading />}
      {value?.most_voices === 0 && (
        <p class="notice calm" role="note">
          {text.off}
        </p>
      )}
      {value && value.most_voices > 0 && value.voices.length === 0 && (
        <Empty icon="microphone" title={text.empty} hint={text.emptyHint} />
      )}
      <ul class="voice-cards">
        {value?.voices.map((each) => (
          <Card key={each.voice_id} voice={each} canChange={value.most_voices > 0} reload={again} />
        ))}
      </ul>
    </div>
  );
}

type CardProps = { voice: Voice; canChange: boolean; reload: () => void };

function Card({ voice, canChange, reload }: CardProps) {
  const text = useStore(words).voices;
  const shown = useStore(language);
  const [asks, setAsks] = useState(false);
  const [open, setOpen] = useState(false);
  const { problem, act } = useAct(reload);
  const id = `voice-${voice.voice_id}`;
  const heard = voice.engines.reduce((sum, each) => sum + seconds(each.clean_duration), 0);
  return (
    <li class="card" aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{voice.display_name}</h2>
        <div class="buttons">
          {canChange && <Rename voice={voice} rename={(name) => act(() => renamed(voice, name))} />}
          <button
            type="button"
            class="danger"
            aria-label={text.removeOf(voice.display_name)}
            onClick={() => setAsks(true)}
          >
            {text.remove}
          </button>
        </div>
      </div>
      <p class="soft">{text.made(moment(voice.create_time, shown), Math.round(heard))}</p>
      {problem && <ProblemNotice problem={problem} />}
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{text.recordings}</summary>
        {open && <Enrollments id={voice.voice_id} />}
      </details>
      {asks && (
        <Confirm
          question={text.confirm(voice.display_name)}
          yes={text.remove}
          no={text.keep}
          confirmed={() => {
            setAsks(false);
            void act(() => voices.remove(voice.voice_id));
          }}
          close={() => setAsks(false)}
        />
      )}
    </li>
  );
}

const renamed = (voice: Voice, name: string) => voices.rename(voice.voice_id, name, voice.revision);

// It takes the place of the button that was pressed.
const focus = (field: HTMLInputElement | null) => {
  field?.focus();
  field?.select();
};

type RenameProps = { voice: Voice; rename: (name: string) => Promise<boolean> };

function Rename({ voice, rename }: RenameProps) {
  const text = useStore(words).voices;
  const [typing, setTyping] = useState(false);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(given.get("name")).trim();
    if (name === voice.display_name || (await rename(name))) setTyping(false);
  }
  if (!typing)
    return (
      <button
        type="button"
        class="quiet"
        aria-label={text.renameOf(voice.display_name)}
        onClick={() => setTyping(true)}
      >
        {text.rename}
      </button>
    );
  return (
    <form class="renaming" onSubmit={(event) => void submit(event)}>
      <input
        name="name"
        ref={focus}
        required
        maxLength={100}
        aria-label={text.name}
        defaultValue={voice.display_name}
        onKeyDown={(event) => {
          if (event.key === "Escape") setTyping(false);
        }}
      />
      <button type="submit">{text.save}</button>
    </form>
  );
}

/** The recordings that a profile was made of, and the consent to each. */
function Enrollments({ id }: { id: string }) {
  const { value, problem, again } = useLoaded((signal) => voices.enrollments(id, signal), [id]);
  if (problem) return <ProblemNotice problem={problem} again={again} />;
  if (!value) return <Loading />;
  return (
    <ul class="enrollments">
      {value.map((each) => (
        <OneEnrollment key={`${each.job_id} ${each.speaker}`} of={each} />
      ))}
    </ul>
  );
}

function OneEnrollment({ of }: { of: Enrollment }) {
  const text = useStore(words).voices;
  const shown = useStore(language);
  return (
    <li>
      <p>
        <Link to={`/recordings/${of.job_id}`}>{text.recordingOf(moment(of.enroll_time, shown))}</Link>{" "}
        <span class="soft">{text.heard(Math.round(seconds(of.clean_duration)))}</span>
      </p>
      {of.consent && (
        <blockquote>
          {of.consent.statement}
          {of.consent.consent_time && (
            <footer class="soft">{text.agreed(day(of.consent.consent_time, shown))}</footer>
          )}
        </blockquote>
      )}
    </li>
  );
}
