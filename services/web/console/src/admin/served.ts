import type { Stage } from "../api/types";
import type { Engine, Mesh } from "./api";

type Served = { stage: Stage; engine: Engine; workers: string[] };

/** The models of all workers, the same one of several once. */
export function served(mesh: Pick<Mesh, "stages">): Served[] {
  const found = new Map<string, Served>();
  for (const { stage, workers } of mesh.stages)
    for (const worker of workers)
      for (const { engine } of worker.models) {
        const key = `${stage} ${JSON.stringify(engine)}`;
        const known = found.get(key) ?? { stage, engine, workers: [] };
        known.workers.push(worker.instance);
        found.set(key, known);
      }
  return [...found.values()];
}
