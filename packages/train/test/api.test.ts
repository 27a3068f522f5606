import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as train from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "gz-train-"));
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

test("exports these functions and no others", () => {
  expect(Object.keys(train).sort()).toEqual([
    "NonFiniteLossError",
    "adamw",
    "backgroundLoader",
    "bestCheckpoint",
    "clipGradients",
    "compile",
    "cosineSchedule",
    "latestCheckpoint",
    "loadCheckpoint",
    "namedWeights",
    "nesterov",
    "openMetrics",
    "readSafetensors",
    "restoreCheckpoint",
    "saveCheckpoint",
    "stepSchedule",
    "trainLoop",
    "trainStep",
    "weightAverage",
    "writeSafetensors",
  ]);
});

test("the README's example runs as pasted, learns the spirals, and goes on where it was stopped", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)![1]!;
  const body = example
    .replace('import * as tf from "@tensorflow/tfjs";\n', "")
    .replace(/import (\{.*?\}) from "@gz\/train";/, "const $1 = train;");
  expect(body).not.toContain("import ");
  const AsyncFunction = (async () => {}).constructor as new (
    ...code: string[]
  ) => (...given: unknown[]) => Promise<void>;
  const run = async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    await new AsyncFunction("tf", "train", "console", body)(tf, train, { log });
    return lines;
  };
  const lines = await run();
  const losses = lines.map((line) => Number(/loss ([\d.]+)/.exec(line)?.[1]));
  expect(losses).toHaveLength(4);
  expect(losses[3]).toBeLessThan(0.05);

  rmSync("spirals/step-00000400", { recursive: true }); // as if killed before the last checkpoint
  const again = await run();
  expect(again).toEqual(["going on from step 300", lines[3]]);
  expect(existsSync("spirals/step-00000400")).toBe(true);
});

test("a user's own loop: metrics, the average evaluated in between, a lambda as loss", async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  const average = train.weightAverage(model, { decay: 0.9 });
  const metrics = train.openMetrics("metrics.jsonl");
  const batch = () => ({ xs: tf.tensor2d([[0], [1], [2]]), ys: tf.tensor2d([[1], [3], [5]]) });
  const loop = train.trainLoop(model, Array.from({ length: 200 }, batch), {
    optimizer: train.nesterov({ momentum: 0.9 }),
    schedule: train.stepSchedule({ 0: 0.05, 100: 0.01 }),
    lossFn: (ys, predictions) => ys.sub(predictions).square().mean(),
    steps: 200,
    readLossEvery: 20,
  });
  for await (const { step, loss } of loop) {
    average.update();
    if (loss !== undefined) metrics.write({ step, loss });
  }
  metrics.close();
  average.swap();
  const predicted = model.predict(tf.tensor2d([[10]])) as tf.Tensor;
  expect(predicted.dataSync()).toBeAllClose([21], { atol: 0.05 });
  const lines = readFileSync("metrics.jsonl", "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).step)).toEqual([
    20, 40, 60, 80, 100, 120, 140, 160, 180, 200,
  ]);
});
