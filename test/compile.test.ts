/** `trainLoop`'s `compile` on TensorFlow: @gz/train, the layers and the backend's graphs together. */
import { useBackend } from "@gz/backend";
import { batchNorm, dropout, setDropoutStep, setTreeMode, treeOutput } from "@gz/layers";
import { adamw, nesterov, type Optimizer, type TrainLoopOptions, trainLoop } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { hasNative } from "../packages/backend/test/has-native.ts";

const tree = [
  { name: "alive", answers: ["alive", "detritus"] },
  { name: "kind", answers: ["diatom", "copepod", "larva"], parents: ["alive"] },
];
const STEPS = 6;
/** Phases of other modes; the last batch is a smaller one. */
const phases = [
  { fromStep: 0, enter: (model: tf.LayersModel) => setTreeMode(model, "clip") },
  { fromStep: 3, enter: (model: tf.LayersModel) => setTreeMode(model, "normal") },
];

function network(): tf.LayersModel {
  const kernelInitializer = (seed: number) => tf.initializers.glorotNormal({ seed });
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [9, 9, 3],
        filters: 8,
        kernelSize: 3,
        kernelInitializer: kernelInitializer(1),
      }),
      batchNorm(),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.flatten(),
      dropout({ rate: 0.5, seed: 2 }),
      tf.layers.dense({
        units: 5,
        kernelInitializer: kernelInitializer(3),
        biasInitializer: tf.initializers.constant({ value: 0.3 }),
      }),
      treeOutput({ tree }),
    ],
  });
}

function* batches(from: number) {
  for (let step = from; step < STEPS; step++) {
    const rows = step === STEPS - 1 ? 3 : 8;
    const xs = tf.randomNormal([rows, 9, 9, 3], 0, 1, "float32", 10 + step);
    yield { xs, ys: tf.fill([rows, 5], 0.2 + 0.1 * step) };
  }
}

/** Trains from a step on; what it logged, and the weights after it. */
async function train(
  model: tf.LayersModel,
  optimizer: Optimizer,
  { from = 0, to = STEPS, ...options }: Partial<TrainLoopOptions> & { from?: number; to?: number },
) {
  const losses: number[] = [];
  const loop = trainLoop(model, batches(from), {
    ...{ optimizer, schedule: () => 0.05, lossFn: tf.losses.meanSquaredError, phases },
    ...{ steps: STEPS, startStep: from, beforeStep: (step) => setDropoutStep(model, step) },
    ...options,
  });
  for await (const { step, loss } of loop) {
    losses.push(loss!);
    if (step === to) break;
  }
  return { losses, weights: model.getWeights().map((weight) => weight.dataSync().slice()) };
}

describe.skipIf(!hasNative)("a step as a graph", () => {
  beforeAll(() => useBackend({ prefer: "tensorflow", threads: 2 }));
  afterAll(() => tf.setBackend("cpu"));

  test.each([
    ["nesterov", () => nesterov({ momentum: 0.9 })],
    ["adamw", () => adamw()],
  ])("%s: the same losses and weights as operation by operation", async (_, optimizer) => {
    const [one, other] = [network(), network()];
    const eager = await train(one, optimizer(), {});
    const graph = await train(other, optimizer(), { compile: true });
    expect(graph.losses).toBeAllClose(eager.losses, { rtol: 1e-5 });
    for (const [i, weight] of eager.weights.entries())
      expect(graph.weights[i]!).toBeAllClose(weight, { rtol: 1e-3, atol: 1e-4 });
  });

  test("a run that is resumed in the middle of a phase ends in the same bytes", async () => {
    for (const at of [2, 3, 4]) {
      const whole = await train(network(), adamw(), { compile: true });
      const model = network();
      const optimizer = adamw();
      const first = await train(model, optimizer, { compile: true, to: at });
      const rest = await train(model, optimizer, { compile: true, from: at });
      expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
      expect(rest.weights).toEqual(whole.weights);
    }
  });

  test("a loss that reads its tensors goes operation by operation, and that is said", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const lossFn = (ys: tf.Tensor, predictions: tf.Tensor) => {
      const error = tf.losses.meanSquaredError(ys, predictions);
      return tf.mul(error, error.dataSync()[0]! > 1 ? 0.5 : 1);
    };
    const graph = await train(network(), adamw(), { compile: true, lossFn });
    expect(warn.mock.calls).toEqual([
      ["GzCompile: goes operation by operation, there is no graph: it reads back what it computed"],
    ]);
    warn.mockRestore();
    expect(graph).toEqual(await train(network(), adamw(), { lossFn }));
  });
});
