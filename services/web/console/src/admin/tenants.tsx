import { useState } from "preact/hooks";
import { useLoaded } from "../api/use";
import { seconds } from "../format";
import { useStore } from "../store";
import { language, words } from "../words";
import { admin, type Tenant } from "./api";
import { LimitsDialog } from "./limits";
import { Part, Table } from "./table";

const POLL_MS = 15_000;
const HOUR_SECONDS = 3600;

/** What each tenant has and may have. */
export function Tenants() {
  const text = useStore(words).admin;
  const loaded = useLoaded((signal) => admin.tenants(signal), [], { everyMs: POLL_MS, goesOn: () => true });
  const [chosen, setChosen] = useState<Tenant | null>(null);
  return (
    <Part
      id="tenants-title"
      title={text.tenants}
      loaded={loaded}
      show={(tenants) => (
        <>
          <Table
            label={text.tenants}
            heads={[
              text.tenant,
              text.unfinished,
              text.held,
              text.sessions,
              text.hours,
              text.stored,
              text.keys,
              text.act,
            ]}
            none={text.noTenants}
            rows={tenants.map((each) => <Row key={each.tenant} of={each} choose={() => setChosen(each)} />)}
          />
          {chosen && (
            <LimitsDialog
              of={chosen}
              close={(changed) => {
                setChosen(null);
                if (changed) loaded.again();
              }}
            />
          )}
        </>
      )}
    />
  );
}

function Row({ of, choose }: { of: Tenant; choose: () => void }) {
  const text = useStore(words).admin;
  const number = new Intl.NumberFormat(useStore(language), { maximumFractionDigits: 1 });
  const { use, limits } = of;
  const hours = number.format(seconds(use.audio_today) / HOUR_SECONDS);
  const most = limits.audio_hours_per_day;
  return (
    <tr>
      <th>{of.tenant}</th>
      <td>
        {use.running_jobs + use.held_jobs} / {limits.active_jobs}
      </td>
      <td>{use.held_jobs}</td>
      <td>{use.live_sessions}</td>
      <td>{most === undefined ? hours : `${hours} / ${number.format(most)}`}</td>
      <td>{number.format(Number(use.jobs))}</td>
      <td>{use.keys}</td>
      <td>
        <button type="button" aria-label={text.limitsOf(of.tenant)} onClick={choose}>
          {text.limits}
        </button>
      </td>
    </tr>
  );
}
