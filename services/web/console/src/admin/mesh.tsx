import { useLoaded } from "../api/use";
import { clock, seconds } from "../format";
import { useStore } from "../store";
import { words } from "../words";
import { admin, type MeshPart, type Mesh as MeshState } from "./api";
import { Models } from "./models";
import { Part, Table } from "./table";

const POLL_MS = 5000;

/** What the mesh consists of, and what waits in its queues. */
export function Mesh() {
  const text = useStore(words).admin;
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
            <Fact name={text.jobs} value={`${mesh.active_jobs} / ${mesh.max_active_jobs}`} />
            <Fact name={text.held} value={mesh.held_jobs} />
            <Fact name={text.sessions} value={mesh.live_sessions} />
          </dl>
          <Queues of={mesh} />
          <Parts of={mesh} />
          <Models of={mesh} />
        </>
      )}
    />
  );
}

function Queues({ of }: { of: MeshState }) {
  const all = useStore(words);
  const text = all.admin;
  return (
    <>
      <h3>{text.queues}</h3>
      <Table
        label={text.queues}
        heads={[text.stage, text.lane, text.running, text.waiting, text.oldest]}
        none={text.noStages}
        rows={of.stages.flatMap((stage) =>
          stage.demand.map((each) => (
            <tr key={`${stage.stage} ${each.lane}`}>
              <th>{all.stages[stage.stage] ?? stage.stage}</th>
              <td>{text.lanes[each.lane] ?? each.lane}</td>
              <td>{each.running_units}</td>
              <td>{each.pending_units}</td>
              <td>{each.oldest_age ? clock(seconds(each.oldest_age)) : ""}</td>
            </tr>
          )),
        )}
      />
    </>
  );
}

function Parts({ of }: { of: MeshState }) {
  const all = useStore(words);
  const text = all.admin;
  const parts = [
    ...of.gateways.map((worker) => ({ name: text.gateway, worker })),
    ...of.stages.flatMap(({ stage, workers }) =>
      workers.map((worker) => ({ name: all.stages[stage] ?? stage, worker })),
    ),
  ];
  return (
    <>
      <h3>{text.parts}</h3>
      <Table
        label={text.parts}
        heads={[text.part, text.id, text.version, text.slots, text.errors]}
        none={text.noStages}
        rows={parts.map(({ name, worker }) => (
          <tr key={worker.instance}>
            <th>{name}</th>
            <td>{worker.instance}</td>
            <td>{worker.version}</td>
            <td>{worker.slots > 0 && `${worker.running.length} / ${worker.slots}`}</td>
            <td>{failures(worker)}</td>
          </tr>
        ))}
      />
    </>
  );
}

/** What failed in a part within the last minutes. */
function failures({ errors }: MeshPart): number {
  return errors ? errors.calls + errors.units + errors.broker + errors.store : 0;
}

function Fact({ name, value }: { name: string; value: string | number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
