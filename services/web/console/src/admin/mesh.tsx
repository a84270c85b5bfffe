import { useLoaded } from "../api/use";
import { useStore } from "../store";
import { words } from "../words";
import { admin } from "./api";
import { Part, Table } from "./table";

const POLL_MS = 5000;

/** What the mesh consists of, and what waits in its queues. */
export function Mesh() {
  const all = useStore(words);
  const text = all.admin;
  const loaded = useLoaded((signal) => admin.mesh(signal), [], { everyMs: POLL_MS, goesOn: () => true });
  return (
    <Part
      id="mesh-title"
      title={text.mesh}
      loaded={loaded}
      show={(mesh) => (
        <>
          <dl class="facts">
            <Fact name={text.version} value={mesh.version} />
            <Fact name={text.gateways} value={mesh.gateways.length} />
            <Fact name={text.jobs} value={`${mesh.active_jobs} / ${mesh.max_active_jobs}`} />
            <Fact name={text.sessions} value={mesh.live_sessions} />
          </dl>
          <Table
            label={text.mesh}
            heads={[text.stage, text.workers, text.running, text.waiting]}
            none={text.noStages}
            rows={mesh.stages.map((each) => (
              <tr key={each.stage}>
                <th>{all.stages[each.stage] ?? each.stage}</th>
                <td>{each.workers.length}</td>
                <td>{each.running_units}</td>
                <td>{each.pending_units}</td>
              </tr>
            ))}
          />
        </>
      )}
    />
  );
}

function Fact({ name, value }: { name: string; value: string | number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
