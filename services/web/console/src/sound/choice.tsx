import { useEffect, useState } from "preact/hooks";
import { useStore } from "../store";
import { words } from "../words";
import { microphones, type SoundChoice } from "./sources";

type ChoiceProps = { choice: SoundChoice; choose: (choice: SoundChoice) => void; disabled?: boolean };

/** The choice of microphone and of a tab's or the system's sound. */
export function SoundSources({ choice, choose, disabled = false }: ChoiceProps) {
  const text = useStore(words).sound;
  const found = useMicrophones();
  return (
    <fieldset class="sources" disabled={disabled}>
      <legend>{text.sources}</legend>
      <label class="tick">
        <input
          type="checkbox"
          checked={choice.microphone}
          onChange={() => choose({ ...choice, microphone: !choice.microphone })}
        />
        <span>{text.microphone}</span>
      </label>
      {choice.microphone && (
        <label>
          <span class="unseen">{text.which}</span>
          <select
            value={choice.device}
            onChange={(event) => choose({ ...choice, device: event.currentTarget.value })}
          >
            <option value="">{text.usual}</option>
            {found.map((each, index) => (
              <option key={each.deviceId} value={each.deviceId}>
                {each.label || text.unnamed(index + 1)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="tick">
        <input
          type="checkbox"
          checked={choice.tab}
          onChange={() => choose({ ...choice, tab: !choice.tab })}
        />
        <span>{text.tab}</span>
      </label>
      {choice.tab && <small>{text.tabHint}</small>}
      {!choice.microphone && !choice.tab && (
        <p class="hint bad" role="alert">
          {text.needsOne}
        </p>
      )}
    </fieldset>
  );
}

function useMicrophones(): readonly MediaDeviceInfo[] {
  const [found, setFound] = useState<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const look = () => void microphones().then(setFound);
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
  }, []);
  return found;
}
