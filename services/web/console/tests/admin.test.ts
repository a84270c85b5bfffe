import { expect, test } from "vitest";
import type { Engine, MeshPart } from "../src/admin/api";
import { served } from "../src/admin/served";

const engine = (model_name: string): Engine => ({
  engine: "whisper",
  library: "faster-whisper 1.2.1",
  model_name,
  model_variant: "",
  checkpoint_sha256: "ab",
  compute_type: "int8",
  device: "cpu",
});

const worker = (instance: string, ...models: string[]): MeshPart => ({
  instance,
  version: "0.1.0",
  slots: 1,
  running: [],
  models: models.map((name) => ({ engine: engine(name) })),
});

test("a model of several workers is listed once, with all of them", () => {
  const workers = [worker("asr-1", "base", "small"), worker("asr-2", "base")];
  const found = served({ stages: [{ stage: "asr", workers, demand: [] }] });
  expect(found.map(({ engine, workers }) => [engine.model_name, workers])).toEqual([
    ["base", ["asr-1", "asr-2"]],
    ["small", ["asr-1"]],
  ]);
});
