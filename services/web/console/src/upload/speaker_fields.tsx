import { useStore } from "../store";
import { words } from "../words";
import { KINDS, MOST_SPEAKERS, type SpeakerCount } from "./speaker_count";

type FieldsProps = { count: SpeakerCount; choose: (count: SpeakerCount) => void };

/** How many speakers there are, where that is known. */
export function SpeakerFields({ count, choose }: FieldsProps) {
  const text = useStore(words).speakers;
  const { kind, least, most } = count;
  return (
    <div class="speaker-count">
      <label>
        <span>{text.count}</span>
        <select
          value={kind}
          onChange={(event) => {
            const chosen = KINDS.find((each) => each === event.currentTarget.value);
            if (chosen) choose({ ...count, kind: chosen });
          }}
        >
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {text[each]}
            </option>
          ))}
        </select>
      </label>
      {kind !== "automatic" && (
        <NumberField
          label={kind === "exactly" ? text.exactly : text.least}
          value={least}
          choose={(number) => choose({ ...count, least: number })}
        />
      )}
      {kind === "between" && (
        <NumberField label={text.most} value={most} choose={(number) => choose({ ...count, most: number })} />
      )}
    </div>
  );
}

type NumberProps = { label: string; value: number; choose: (value: number) => void };

function NumberField({ label, value, choose }: NumberProps) {
  return (
    <label>
      <span>{label}</span>
      <input
        type="number"
        min={1}
        max={MOST_SPEAKERS}
        required
        value={Number.isNaN(value) ? "" : value}
        onInput={(event) => choose(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
