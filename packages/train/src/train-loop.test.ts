import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { spiralBatch, spiralBatches, spiralModel, weightsOf } from "../test/spirals.ts";
import { adamw } from "./adamw.ts";
import { nesterov } from "./nesterov.ts";
import { NonFiniteLossError } from "./non-finite-loss-error.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Phase } from "./phases.ts";
import { stepSchedule } from "./schedules.ts";
import { type TrainedStep, type TrainLoopOptions, trainLoop } from "./train-loop.ts";
import { trainStep } from "./train-step.ts";

const lossFn = tf.losses.meanSquaredError;
const schedule = stepSchedule({ 0: 0.05 });
const options = (rest: Partial<TrainLoopOptions> = {}): TrainLoopOptions => ({
  optimizer: nesterov(),
  schedule,
  lossFn,
  steps: 5,
  ...rest,
});

async function all(loop: AsyncIterable<TrainedStep>): Promise<TrainedStep[]> {
  const steps = [];
  for await (const step of loop) steps.push(step);
  return steps;
}

test("the loss falls over 20 steps, and numbers, times and memory are as told", async () => {
  const model = spiralModel();
  const optimizer = adamw();
  const steps: TrainedStep[] = [];
  let tensors = 0;
  for await (const step of trainLoop(model, spiralBatches(), options({ optimizer, steps: 20 }))) {
    steps.push(step);
    if (step.step === 1) tensors = tf.memory().numTensors;
  }
  expect(tf.memory().numTensors).toBe(tensors);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(steps[19]!.loss!).toBeLessThan(0.9 * steps[0]!.loss!);
  for (const { learningRate, stepMs, dataWaitMs } of steps) {
    expect(learningRate).toBe(0.05);
    expect(stepMs).toBeGreaterThan(0);
    expect(dataWaitMs).toBeGreaterThanOrEqual(0);
  }
});

test("a step is the gradient of the loss, regularisers included", () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 1,
        useBias: false,
        inputShape: [2],
        kernelRegularizer: tf.regularizers.l2({ l2: 0.1 }),
      }),
    ],
  });
  model.setWeights([tf.tensor2d([[2], [-1]])]);
  const batch = { xs: tf.tensor2d([[1, 3]]), ys: tf.tensor2d([[0]]) };
  const { loss } = trainStep(model, nesterov({ momentum: 0 }), batch, {
    lossFn,
    learningRate: 0.1,
  });
  // Prediction -1: loss 1 + 0.1 (4 + 1); gradient 2 (-1) x + 0.2 w = [-1.6, -6.2].
  expect(loss.dataSync()).toBeAllClose([1.5]);
  expect(weightsOf(model)).toBeAllClose([2.16, -0.38]);
});

test("runs the same steps as trainStep by hand, with tensors or plain arrays", async () => {
  const [looped, byHand] = [spiralModel(), spiralModel()];
  const optimizer = nesterov();
  const mixed = [0, 1, 2].map((step) => {
    const { xs, ys } = spiralBatch(step);
    return step === 1 ? { xs: tf.tensor(xs.data, xs.shape), ys } : { xs, ys };
  });
  const steps = await all(trainLoop(looped, mixed, options({ steps: 100 }))); // ends with the batches
  for (const [step, { loss }] of steps.entries()) {
    const { xs, ys } = spiralBatch(step);
    const batch = { xs: tf.tensor(xs.data, xs.shape), ys: tf.tensor(ys.data, ys.shape) };
    const done = trainStep(byHand, optimizer, batch, { lossFn, learningRate: 0.05 });
    expect(done.loss.dataSync()[0]).toBe(loss);
  }
  expect(weightsOf(looped)).toEqual(weightsOf(byHand));
});

test("trains a model with two inputs and two outputs", async () => {
  const [a, b] = [tf.input({ shape: [1] }), tf.input({ shape: [1] })];
  const dense = () => tf.layers.dense({ units: 1, kernelInitializer: "ones" });
  const sum = tf.layers.add().apply([a, b]) as tf.SymbolicTensor;
  const model = tf.model({
    inputs: [a, b],
    outputs: [dense().apply(sum) as tf.SymbolicTensor, dense().apply(a) as tf.SymbolicTensor],
  });
  const column = (...values: number[]) => ({
    data: Float32Array.from(values),
    shape: [values.length, 1],
  });
  const batches = Array.from({ length: 60 }, () => ({
    xs: [column(1, 2, 3), column(0, 1, 0)],
    ys: [column(2, 6, 6), column(-1, -2, -3)],
  }));
  const lossOfBoth = (ys: tf.Tensor[], predictions: tf.Tensor[]) =>
    tf.addN(ys.map((y, i) => lossFn(y, predictions[i]!) as tf.Tensor));
  const steps = await all(
    trainLoop(model, batches, { optimizer: nesterov(), schedule, steps: 60, lossFn: lossOfBoth }),
  );
  expect(steps[0]!.loss!).toBeGreaterThan(10);
  expect(steps[59]!.loss!).toBeLessThan(0.1);
});

test("reads the loss at every third step and the last", async () => {
  const steps = await all(
    trainLoop(spiralModel(), spiralBatches(), options({ steps: 8, readLossEvery: 3 })),
  );
  expect(steps.flatMap(({ step, loss }) => (loss === undefined ? [] : [step]))).toEqual([3, 6, 8]);
});

test("gives the schedule and beforeStep the steps done, counted from startStep", async () => {
  const seen: unknown[] = [];
  const at = (kind: string) => (value: unknown) => 0.1 * seen.push([kind, value]);
  await all(
    trainLoop(
      spiralModel(),
      spiralBatches(),
      options({ steps: 4, startStep: 2, schedule: at("rate"), beforeStep: at("before") }),
    ),
  );
  expect(seen).toEqual([
    ["rate", { step: 2, progress: 0.5 }],
    ["before", 2],
    ["rate", { step: 3, progress: 0.75 }],
    ["before", 3],
  ]);
});

test("tells each stage as it begins, from the wait for the first batch on", async () => {
  const seen: string[] = [];
  const all = options({
    steps: 2,
    onStage: (stage) => seen.push(stage),
    beforeStep: () => seen.push("before"),
    lossFn: (ys, predictions) => {
      seen.push("lossFn");
      return lossFn(ys, predictions);
    },
  });
  for await (const _ of trainLoop(spiralModel(), spiralBatches(), all)) seen.push("body");
  const step = "wait before upload forward lossFn backward update loss body";
  expect(seen.join(" ")).toBe(`${step} ${step}`);
});

test("a run that is done does nothing more", async () => {
  const model = spiralModel();
  const before = weightsOf(model);
  expect(await all(trainLoop(model, spiralBatches(), options({ steps: 5, startStep: 5 })))).toEqual(
    [],
  );
  expect(weightsOf(model)).toEqual(before);
});

test("lets timers run between steps, and measures the wait for data apart from the step", async () => {
  async function* slow() {
    for (let step = 0; step < 3; step++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield spiralBatch(step);
    }
  }
  const steps = await all(trainLoop(spiralModel({ units: 2 }), slow(), options({ steps: 3 })));
  for (const { dataWaitMs } of steps) expect(dataWaitMs).toBeGreaterThan(50);

  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  await all(trainLoop(spiralModel(), spiralBatches(), options({ steps: 50, readLossEvery: 50 })));
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});

test("a break ends the batches' iterator, and so does an error", async () => {
  let ended = 0;
  function* batches() {
    try {
      yield* spiralBatches();
    } finally {
      ended++;
    }
  }
  for await (const { step } of trainLoop(spiralModel(), batches(), options()))
    if (step === 2) break;
  expect(ended).toBe(1);
  const failing = options({ lossFn: () => tf.scalar(NaN) });
  await expect(all(trainLoop(spiralModel(), batches(), failing))).rejects.toThrow();
  expect(ended).toBe(2);
});

test("batches that are never asked for end too", async () => {
  const unused = () => {
    let ended = 0;
    const next = () => ({ done: false, value: spiralBatch(0) }) as const;
    const iterator = { next, return: () => ({ done: true, value: ++ended }) as const };
    return { batches: { [Symbol.iterator]: () => iterator }, ended: () => ended };
  };
  const done = unused();
  await all(trainLoop(spiralModel(), done.batches, options({ steps: 5, startStep: 5 })));
  expect(done.ended()).toBe(1);
  const wrong = unused();
  await expect(
    all(trainLoop(spiralModel(), wrong.batches, options({ steps: 0 }))),
  ).rejects.toThrow();
  expect(wrong.ended()).toBe(1);
});

test("a layer that two nested models share is updated once", () => {
  const shared = tf.layers.dense({
    units: 1,
    useBias: false,
    inputShape: [1],
    kernelInitializer: "ones",
  });
  const nested = () => tf.sequential({ layers: [shared] });
  const model = tf.sequential({ layers: [nested(), nested()] });
  const batch = { xs: tf.tensor2d([[1]]), ys: tf.tensor2d([[0.8]]) };
  trainStep(model, nesterov({ momentum: 0 }), batch, { lossFn, learningRate: 0.1 });
  // Loss (w^2 - 0.8)^2 at w = 1: gradient 2 x 0.2 x 2.
  expect(weightsOf(model)[0]).toBeCloseTo(1 - 0.1 * 0.8, 6);
});

function spied(): { optimizer: Optimizer; resets: () => number } {
  const optimizer = nesterov();
  let resets = 0;
  const reset = () => {
    resets++;
    optimizer.reset();
  };
  return { optimizer: { ...optimizer, reset }, resets: () => resets };
}

test("enters each phase at its step with the optimiser afresh, and on resume as the run would be", async () => {
  const run = async (startStep: number, steps: number) => {
    const { optimizer, resets } = spied();
    const entered: string[] = [];
    const phases: Phase[] = [
      { fromStep: 0, name: "clip", enter: () => void entered.push("clip") },
      {
        fromStep: 3,
        name: "tree",
        enter: async () => void entered.push("tree"),
        resetOptimizer: true,
      },
    ];
    const done = await all(
      trainLoop(
        spiralModel(),
        spiralBatches(startStep),
        options({ optimizer, phases, startStep, steps }),
      ),
    );
    return { names: done.map(({ phase }) => phase), entered, resets: resets() };
  };
  expect(await run(0, 5)).toEqual({
    names: ["clip", "clip", "clip", "tree", "tree"],
    entered: ["clip", "tree"],
    resets: 1,
  });
  expect(await run(1, 2)).toEqual({ names: ["clip"], entered: ["clip"], resets: 0 });
  // A checkpoint of step 3 holds the velocity of the phase before: resumed there, the boundary is still to be crossed.
  expect(await run(3, 4)).toEqual({ names: ["tree"], entered: ["tree"], resets: 1 });
  expect(await run(4, 5)).toEqual({ names: ["tree"], entered: ["tree"], resets: 0 });
});

test("a phase with velocity afresh is two runs with the weights handed over", async () => {
  const [phased, handed] = [spiralModel(), spiralModel()];
  const phases = [{ fromStep: 0 }, { fromStep: 3, resetOptimizer: true }];
  await all(trainLoop(phased, spiralBatches(), options({ phases, steps: 6 })));
  await all(trainLoop(handed, spiralBatches(), options({ steps: 3 })));
  await all(trainLoop(handed, spiralBatches(3), options({ startStep: 3, steps: 6 })));
  expect(weightsOf(phased)).toEqual(weightsOf(handed));
});

test("stops at a loss that is not a number, with the step and what to try", async () => {
  const diverging = options({ schedule: () => 1e30, steps: 100 });
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
  const error = await all(trainLoop(model, spiralBatches(), diverging)).catch((e) => e);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect(error.step).toBeGreaterThan(1);
  expect(error.step).toBeLessThan(10);
  expect(error.message).toMatch(
    /^trainLoop: expected a finite loss but got (NaN|Infinity) at step \d \(learning rate 1e\+30\)\. Go on from the last checkpoint with a lower learning rate/,
  );
});

test("says what is wrong with its arguments", async () => {
  const message = (rest: object, batches: Iterable<never> | undefined = undefined) =>
    all(trainLoop(spiralModel(), batches ?? spiralBatches(), options(rest))).catch(
      (e) => e.message,
    );
  expect(await message({ steps: 0 })).toBe(
    "trainLoop: expected an integer of at least 1 for steps but got 0",
  );
  expect(await message({ startStep: -1 })).toBe(
    "trainLoop: expected an integer of at least 0 for startStep but got -1",
  );
  expect(await message({ readLossEvery: 0.5 })).toBe(
    "trainLoop: expected an integer of at least 1 for readLossEvery but got 0.5",
  );
  expect(await message({ phases: [{ fromStep: 1 }] })).toBe(
    "trainLoop: expected phases from step 0 on, in order, but got fromStep [1]",
  );
  expect(await message({ phases: [{ fromStep: 0 }, { fromStep: 0 }] })).toBe(
    "trainLoop: expected phases from step 0 on, in order, but got fromStep [0, 0]",
  );
  expect(await message({ schedule: () => NaN })).toBe(
    "trainLoop: expected a rate of at least 0 of schedule but got NaN at step 0",
  );
  expect(await message({}, [{ xs: [[1, 2]], ys: 3 }] as never)).toBe(
    "trainLoop: expected a tensor or { data, shape } for xs but got [1, 2]",
  );
  expect(await message({ optimizer: tf.train.sgd(1) })).toMatch(
    /^trainLoop: expected nesterov\(\), adamw\(\) or another Optimizer of @gz\/train for optimizer but got an object/,
  );
  expect(await message({ schedule: 0.1 })).toBe(
    "trainLoop: expected a function for schedule but got 0.1",
  );
  expect(await message({ lossFn: "meanSquaredError" })).toBe(
    'trainLoop: expected a function for lossFn but got "meanSquaredError"',
  );
  expect(await message({}, 3 as never)).toBe(
    "trainLoop: expected an iterable of batches but got 3",
  );
  const frozen = spiralModel();
  for (const layer of frozen.layers) layer.trainable = false;
  const tensors = tf.memory().numTensors;
  await expect(all(trainLoop(frozen, spiralBatches(), options()))).rejects.toThrow(
    "trainLoop: expected a model with trainable weights but all are frozen",
  );
  expect(tf.memory().numTensors).toBe(tensors);
});
