import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { savedCopy } from "../test/golden.ts";
import { spiralBatch, spiralModel, weightsOf } from "../test/spirals.ts";
import { nesterov } from "./nesterov.ts";
import { trainStep } from "./train-step.ts";
import { weightAverage } from "./weight-average.ts";

function oneWeight(value: number) {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })],
  });
  const set = (next: number) => model.setWeights([tf.tensor2d([[next]])]);
  set(value);
  return { model, set };
}

test("three updates by hand, warm-up 2/11, 3/12, then decay 0.3 where it is the smaller", () => {
  const { model, set } = oneWeight(1);
  const average = weightAverage(model, { decay: 0.3 });
  let expected = 1;
  for (const [weight, d] of [
    [2, 2 / 11],
    [5, 3 / 12],
    [3, 0.3],
    [7, 0.3],
  ] as const) {
    set(weight);
    average.update();
    expected = d * expected + (1 - d) * weight;
  }
  average.swap();
  expect(weightsOf(model)).toBeAllClose([expected]);
  average.swap();
  expect(weightsOf(model)).toEqual([7]);
});

test("hands the fused kernel everything it needs, where there is one", () => {
  const { model, set } = oneWeight(1);
  const average = weightAverage(model, { decay: 0.9, every: 2 });
  set(3);
  const seen: unknown[] = [];
  tf.registerKernel({
    kernelName: "GzMovingAverage",
    backendName: "cpu",
    kernelFunc: ({ inputs, attrs }) => {
      const values = Object.entries(inputs as tf.NamedTensorMap).map(([k, t]) => [
        k,
        ...t.dataSync(),
      ]);
      seen.push({ ...Object.fromEntries(values), ...attrs });
      return [];
    },
  });
  try {
    for (let i = 0; i < 4; i++) average.update();
  } finally {
    tf.unregisterKernel("GzMovingAverage", "cpu");
  }
  expect(seen).toEqual([
    { average: 1, value: 3, decay: (3 / 12) ** 2 },
    { average: 1, value: 3, decay: (5 / 14) ** 2 },
  ]);
});

test("every third update takes the weights in, with the decay of three", () => {
  const { model, set } = oneWeight(1);
  const average = weightAverage(model, { decay: 0.2, every: 3 });
  let expected = 1;
  for (const [i, weight] of [2, 5, 3, 7, 4, 6, 9].entries()) {
    set(weight);
    average.update();
    if (i === 2 || i === 5) expected = 0.2 ** 3 * expected + (1 - 0.2 ** 3) * weight;
  }
  average.swap();
  expect(weightsOf(model)).toBeAllClose([expected]);
  expect(() => weightAverage(model, { every: 0.5 })).toThrow(
    "weightAverage: expected an integer of at least 1 for every but got 0.5",
  );
});

test("averages batch-norm statistics as well", () => {
  const model = spiralModel();
  const optimizer = nesterov();
  const average = weightAverage(model, { decay: 0 });
  const { xs, ys } = spiralBatch(0);
  const batch = { xs: tf.tensor(xs.data, [32, 2]), ys: tf.tensor(ys.data, [32, 1]) };
  trainStep(model, optimizer, batch, { lossFn: tf.losses.meanSquaredError, learningRate: 0.1 });
  const names = model.weights.map(({ name }) => name);
  expect(names.some((name) => name.includes("moving_mean"))).toBe(true);
  average.update();
  const current = weightsOf(model);
  average.swap();
  expect(weightsOf(model)).toBeAllClose(current); // decay 0: the average is the latest weights, all of them
});

test("shares no memory with the weights, and leaks none", () => {
  const { model } = oneWeight(1);
  const average = weightAverage(model);
  (model.weights[0]!.read().dataSync() as Float32Array)[0] = 9; // what a fused optimiser does
  average.swap();
  expect(weightsOf(model)).toEqual([1]);
  average.swap();
  const before = tf.memory().numTensors;
  for (let i = 0; i < 10; i++) {
    average.update();
    average.swap();
    average.swap();
  }
  expect(tf.memory().numTensors).toBe(before);
  average.dispose();
  expect(tf.memory().numTensors).toBe(before - 1);
});

test("goes on from a saved state as if it had not been interrupted", () => {
  const run = (interrupt: boolean) => {
    const { model, set } = oneWeight(1);
    let average = weightAverage(model, { decay: 0.9 });
    for (let i = 0; i < 8; i++) {
      if (interrupt && i === 4) {
        const state = savedCopy(average.state());
        average = weightAverage(model, { decay: 0.9 });
        average.restore(state);
      }
      set(Math.sin(i));
      average.update();
    }
    average.swap();
    return weightsOf(model);
  };
  expect(run(true)).toEqual(run(false));
});

test("says what is wrong", () => {
  const { model } = oneWeight(1);
  expect(() => weightAverage(model, { decay: 1 })).toThrow(
    "weightAverage: expected a number in [0, 1) for decay but got 1",
  );
  const average = weightAverage(model);
  expect(() => average.restore({})).toThrow(
    "weightAverage: expected updates in the saved state but it is missing",
  );
  average.swap();
  for (const call of [() => average.update(), () => average.state(), () => average.restore({})])
    expect(call).toThrow(
      /^weightAverage: expected (update|state|restore)\(\) after a second swap\(\)/,
    );
});
