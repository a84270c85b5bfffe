import { useState } from "preact/hooks";
import type { Job, Speaker } from "../api/types";
import { useLoaded } from "../api/use";
import { isFinal } from "../format";
import { SpeakerLabel } from "../speakers/label";
import { useStore } from "../store";
import { Icon } from "../ui/icon";
import { language, words } from "../words";
import { voices } from "./api";
import { EnrolDialog } from "./enrol";
import { heardIn, type Suggestion, suggestionsOf } from "./suggestions";
import "./voices.css";

type PanelProps = {
  job: Job;
  speakers: readonly Speaker[];
  rename: (speaker: string, name: string) => Promise<boolean>;
};

/** Says whom the speakers of a recording sound like, and keeps a voice with the person's consent. */
export function VoicePanel({ job, speakers, rename }: PanelProps) {
  const text = useStore(words).voices;
  const [asks, setAsks] = useState(false);
  const isHeard = isFinal(job.state) && heardIn(job).length > 0;
  const { value, again } = useLoaded(
    async (signal) => {
      if (!isHeard) return null;
      const known = await voices.list(signal);
      const found = known.voices.length > 0 ? await voices.inJob(job.job_id, signal) : [];
      return { known, found };
    },
    [job.job_id, isHeard],
  );
  if (!value || value.known.most_voices === 0) return null;
  const suggestions = suggestionsOf(value.found, speakers);
  return (
    <div class="voice-panel">
      {suggestions.length > 0 && (
        <ul aria-label={text.suggestions}>
          {suggestions.map((each) => (
            <SoundsLike key={each.speaker} of={each} speakers={speakers} rename={rename} />
          ))}
        </ul>
      )}
      <button type="button" class="quiet" onClick={() => setAsks(true)}>
        <Icon name="microphone" />
        {text.enrol}
      </button>
      {asks && (
        <EnrolDialog
          job={job}
          speakers={speakers}
          known={value.known.voices}
          rename={rename}
          close={() => {
            setAsks(false);
            again();
          }}
        />
      )}
    </div>
  );
}

type SoundsLikeProps = { of: Suggestion } & Pick<PanelProps, "speakers" | "rename">;

function SoundsLike({ of: { speaker, candidate }, speakers, rename }: SoundsLikeProps) {
  const text = useStore(words).voices;
  const shown = useStore(language);
  const score = candidate.score.toLocaleString(shown, { maximumFractionDigits: 2 });
  return (
    <li>
      <SpeakerLabel speaker={speaker} speakers={speakers} />
      <span>{text.soundsLike(candidate.display_name)}</span>
      <span class="soft" title={text.scoreHint}>
        {text.score(score)}
      </span>
      <button type="button" onClick={() => void rename(speaker, candidate.display_name)}>
        {text.use}
        <span class="unseen">: {candidate.display_name}</span>
      </button>
    </li>
  );
}
