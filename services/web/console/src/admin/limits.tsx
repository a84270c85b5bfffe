import { useAct } from "../api/act";
import { useStore } from "../store";
import { Dialog } from "../ui/dialog";
import { ProblemNotice } from "../ui/notices";
import { words } from "../words";
import { admin, type Limits, OF_GATEWAY, OF_MESH, type Tenant } from "./api";

// Fractions make sense of these; the others are counts.
const FRACTIONS: readonly string[] = ["requests_per_second", "audio_hours_per_day"];
const FROM_ZERO: readonly string[] = [...FRACTIONS, "voices"];
const MOST = 1_000_000;

/** The limits of a tenant, to be changed; an empty field is the limit of every tenant. */
export function LimitsDialog({ of, close }: { of: Tenant; close: (changed: boolean) => void }) {
  const text = useStore(words).admin;
  const { problem, act } = useAct();
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const wanted: Limits = {};
    for (const name of [...OF_MESH, ...OF_GATEWAY]) {
      const value = String(given.get(name) ?? "").trim();
      if (value) wanted[name] = Number(value);
    }
    if (await act(() => admin.setLimits(of, wanted))) close(true);
  }
  return (
    <Dialog title={text.limitsOf(of.tenant)} close={() => close(false)}>
      <p class="soft">{text.limitsHint}</p>
      <form onSubmit={(event) => void save(event)}>
        <Fields of={of} legend={text.ofMesh} names={OF_MESH} />
        <Fields of={of} legend={text.ofGateway} names={OF_GATEWAY} />
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="submit" class="primary">
            {text.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

type FieldsProps = { of: Tenant; legend: string; names: readonly (keyof Limits)[] };

function Fields({ of, legend, names }: FieldsProps) {
  const text = useStore(words).admin;
  return (
    <fieldset class="admin-form">
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name}>
          <span>{text.limit[name]}</span>
          <input
            name={name}
            type="number"
            step={FRACTIONS.includes(name) ? "any" : 1}
            min={FROM_ZERO.includes(name) ? 0 : 1}
            max={MOST}
            defaultValue={of.own_limits?.[name]?.toString() ?? ""}
            placeholder={of.limits[name]?.toString() ?? text.any}
          />
        </label>
      ))}
    </fieldset>
  );
}
