import { useRef, useState } from "preact/hooks";
import { useAct } from "../api/act";
import type { Job, Speaker } from "../api/types";
import { newId } from "../ids";
import { labelOf } from "../speakers/speakers";
import { useStore } from "../store";
import { Dialog } from "../ui/dialog";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { type Voice, voices } from "./api";
import { consentTime, dayOf, heardIn } from "./suggestions";

// As the server takes them.
const LONGEST_NAME = 100;
const LONGEST_STATEMENT = 1000;

type EnrolProps = {
  job: Job;
  speakers: readonly Speaker[];
  known: readonly Voice[];
  rename: (speaker: string, name: string) => Promise<boolean>;
  close: () => void;
};

/** Makes a profile of a speaker's voice, or adds to one of the same name, with the person's consent. */
export function EnrolDialog({ job, speakers, known, rename, close }: EnrolProps) {
  const text = useStore(words).voices;
  const speakerText = useStore(words).speakers;
  const heard = heardIn(job).map((each) => each.speaker);
  const [speaker, setSpeaker] = useState(heard[0] ?? "");
  const [typed, setTyped] = useState<string | null>(null);
  const { problem, busy, act } = useAct();
  const request = useRef(newId());
  const now = new Date();
  const name = typed ?? speakers.find((each) => each.speaker === speaker)?.name ?? "";
  const same = known.find((each) => each.display_name === name.trim());

  async function keep(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const consent = {
      statement: String(given.get("statement")).trim(),
      consent_time: consentTime(String(given.get("day")), now),
    };
    const done = await act(() =>
      same
        ? voices.add(same.voice_id, job.job_id, speaker, consent)
        : voices.enrol(job.job_id, speaker, name.trim(), consent, request.current),
    );
    if (!done) return;
    await rename(speaker, name.trim());
    close();
  }

  return (
    <Dialog title={text.enrolTitle} close={close}>
      <p class="soft">{text.enrolHint}</p>
      <form class="enrol" onSubmit={(event) => void keep(event)}>
        <label>
          <span>{text.whose}</span>
          <select
            value={speaker}
            onChange={(event) => {
              setSpeaker(event.currentTarget.value);
              setTyped(null);
            }}
          >
            {heard.map((each) => (
              <option key={each} value={each}>
                {labelOf(each, speakers, speakerText)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{text.name}</span>
          <input
            required
            maxLength={LONGEST_NAME}
            autocomplete="off"
            list="known-voices"
            value={name}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <datalist id="known-voices">
          {known.map((each) => (
            <option key={each.voice_id} value={each.display_name} />
          ))}
        </datalist>
        {same && <p class="soft">{text.addsTo(same.display_name)}</p>}
        <label>
          <span>{text.consent}</span>
          <textarea
            name="statement"
            required
            rows={3}
            maxLength={LONGEST_STATEMENT}
            placeholder={text.consentHint}
          />
        </label>
        <label>
          <span>{text.day}</span>
          <input type="date" name="day" required max={dayOf(now)} defaultValue={dayOf(now)} />
        </label>
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy}>
            {text.keepVoice}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
