/**
 * Whole trainings on WebGPU, ten steps beside WebAssembly's: the winner's network with all that a recipe can put into it and
 * a residual one, each with its optimiser.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSynthetic } from "@gz/galaxies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { swiftShader, withoutSwiftShader } from "../../../test/swift-shader.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
const data = join(root, "galaxies");
const env = { GZ_CACHE_DIR: join(root, "cache") };
const fixture = (name: string) =>
  fileURLToPath(new URL(`./fixtures/${name}.json`, import.meta.url));

const RECIPES = {
  // Parts, untied biases, overlapping maxima, maxout, shared and ReLU layers, norm constraints, dropout, contrast; Nesterov.
  parts: {
    extends: fixture("shared-norm"),
    input: { contrast: { mean: 2, deviation: 3, bias: 0.1 } },
    network: {
      conv: [
        { filters: 3, size: 4, pool: { size: 3, stride: 2 }, std: 0.15, bias: 0.1 },
        { filters: 4, size: 3, pool: true, std: 0.2, bias: 0.1 },
      ],
      head: { dropout: 0.5, std: 0.4, bias: 0.3 },
    },
    output: { clipSteps: 3 },
    batch: 4,
  },
  // Batch normalisation, all turns and mirror images, softmax, cross-entropy; AdamW and the average of its weights.
  residual: { extends: fixture("smallest"), network: { symmetries: true }, batch: 4 },
};

beforeAll(() => writeSynthetic(data, { train: 40, test: 0, seed: 5 }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What ten steps log: the training RMSE, then the validation RMSE of the weights or their average. */
async function rmses(name: string, backend: string, driver = {}): Promise<number[]> {
  const out = join(root, `${name}-${backend}`);
  const { code, stderr } = await kaggle(
    [
      ...["train", "--recipe", join(root, `${name}.json`), "--data", data, "--out", out],
      ...["--steps", "10", "--seed", "1", "--backend", backend],
    ],
    { ...env, ...driver },
  );
  expect(code, stderr).toBe(0);
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).rmse);
}

for (const [name, recipe] of Object.entries(RECIPES))
  test.skipIf(withoutSwiftShader)(
    `${name}: the same losses as on WebAssembly`,
    {
      timeout: 600_000,
    },
    async () => {
      writeFileSync(join(root, `${name}.json`), JSON.stringify(recipe));
      const wasm = await rmses(name, "wasm");
      expect(wasm).toHaveLength(2);
      expect(await rmses(name, "webgpu", swiftShader)).toBeAllClose(wasm, { rtol: 1e-5 });
    },
  );
