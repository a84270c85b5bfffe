import { useStore } from "../store";
import { words } from "../words";
import type { Mesh } from "./api";
import { served } from "./served";
import { Table } from "./table";

const DIGEST_CHARACTERS = 12;

/** Which models the mesh serves, in which version, where, and which workers have them. */
export function Models({ of }: { of: Mesh }) {
  const all = useStore(words);
  const text = all.admin;
  return (
    <>
      <h3>{text.models}</h3>
      <Table
        label={text.models}
        heads={[text.stage, text.model, text.engine, text.digest, text.device, text.workers]}
        none={text.noModels}
        rows={served(of).map(({ stage, engine, workers }) => (
          <tr key={`${stage} ${workers[0]} ${engine.model_name} ${engine.engine}`}>
            <th>{all.stages[stage] ?? stage}</th>
            <td>{[engine.model_name, engine.model_variant].filter(Boolean).join(" ") || "–"}</td>
            <td>{engine.library || engine.engine}</td>
            <td title={engine.checkpoint_sha256}>
              <code>{engine.checkpoint_sha256.slice(0, DIGEST_CHARACTERS)}</code>
            </td>
            <td>{[engine.device, engine.compute_type].filter(Boolean).join(", ")}</td>
            <td>{workers.join(", ")}</td>
          </tr>
        ))}
      />
    </>
  );
}
