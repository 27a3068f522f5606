import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs";
import { checkFunction, checkInteger, show } from "./_check.ts";
import { NonFiniteLossError } from "./non-finite-loss-error.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkPhases, enterPhase, type Phase } from "./phases.ts";
import type { Schedule } from "./schedules.ts";
import { type Stage, stepOf, type Tensors } from "./train-step.ts";

/** A tensor as plain values: the loop makes the tensor, and needs `data` only until the step is done. */
export interface ArrayData {
  data: Float32Array | Int32Array;
  shape: readonly number[];
}

type Values = tf.Tensor | ArrayData;

/** Inputs and labels of one step; lists for a model with several. The loop disposes them, tensors included. */
export interface Batch {
  xs: Values | Values[];
  ys: Values | Values[];
}

/** Options of `trainLoop`. */
export interface TrainLoopOptions<Y extends Tensors = tf.Tensor> {
  optimizer: Optimizer;
  schedule: Schedule;
  /** The loss of one batch, a scalar: any function made of tf operations, such as tf.losses.meanSquaredError. */
  lossFn: (ys: Y, predictions: Y) => tf.Tensor;
  /** Steps of the whole run, those before a resume included. */
  steps: number;
  /** Steps done before: a checkpoint's step; 0 if left out. */
  startStep?: number;
  phases?: readonly Phase[];
  /** Read the loss at each multiple of this and at the last step, every one if left out; other steps need not wait for the device. */
  readLossEvery?: number;
  /**
   * Forward and backward as a graph (see `compile`), made at the first step, in each phase, and for batches of other
   * shapes: what model and lossFn do must depend on tensors alone. Left out: false.
   */
  compile?: boolean;
  /** Called before each step with the number of steps done: the place to seed dropout. */
  beforeStep?(step: number): void;
  /**
   * Called as each stage of a step begins: the place to look at a clock. On a GPU the device may still be busy with earlier
   * ones; with `compile` the graph counts as "forward".
   */
  onStage?(stage: Stage): void;
}

/** What the loop tells after each step. */
export interface TrainedStep {
  /** Steps done, this one included: what to save a checkpoint under. */
  step: number;
  /** Name of the phase it belongs to. */
  phase: string | undefined;
  /** Loss of this batch before the update; undefined where it was not read. */
  loss: number | undefined;
  learningRate: number;
  /** From the batch's arrival to here; where the loss is not read, a device may still be busy. */
  stepMs: number;
  /** How long the loop stood waiting for the batch. */
  dataWaitMs: number;
}

/**
 * Trains `model`, one batch a step, and hands the control back after each: evaluate, save, log or break in the body of
 * a `for await`. Ends after `steps` steps or with the batches. A break (or an error) also ends the batches' iterator.
 *
 * Throws a NonFiniteLossError when a loss it reads is NaN or infinite.
 */
export async function* trainLoop<Y extends Tensors = tf.Tensor>(
  model: tf.LayersModel,
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  options: TrainLoopOptions<Y>,
): AsyncGenerator<TrainedStep, void, void> {
  const { optimizer, schedule, steps, startStep = 0, phases = [], readLossEvery = 1 } = options;
  const { compile = false, lossFn } = options;
  const onStage = (stage: Stage): void => options.onStage?.(stage);
  const iterator = iteratorOf(batches);
  const training = stepOf(model, optimizer, { lossFn, onStage }, { compile });
  try {
    check(options);
    if (startStep >= steps) return;
    let step = startStep;
    let asked = performance.now();
    let phase: Phase | undefined;
    onStage("wait");
    for (;;) {
      const { value: batch, done } = await iterator.next();
      if (done) return;
      const started = performance.now();
      const entered = await enterPhase(
        phases,
        { step, resumed: step === startStep },
        { model, optimizer },
      );
      if (entered !== phase) training.dispose(); // the model may be another one now
      phase = entered;
      const learningRate = schedule({ step, progress: step / steps });
      if (!(learningRate >= 0 && learningRate < Infinity))
        throw new RangeError(
          `trainLoop: expected a rate of at least 0 of schedule but got ${learningRate} at step ${step}`,
        );
      options.beforeStep?.(step);

      onStage("upload");
      const tensors = { xs: toTensors(batch.xs, "xs"), ys: toTensors(batch.ys, "ys") as Y };
      let scalar: tf.Scalar;
      try {
        scalar = training.step(tensors, learningRate).loss;
      } finally {
        tf.dispose(tensors);
      }

      onStage("loss");
      step++;
      const read = step % readLossEvery === 0 || step === steps;
      const loss = read ? (await scalar.data())[0]! : undefined;
      scalar.dispose();
      if (loss !== undefined && !Number.isFinite(loss))
        throw new NonFiniteLossError(
          `trainLoop: expected a finite loss but got ${loss} at step ${step} (learning rate ${learningRate})`,
          step,
        );

      await eventLoop(); // signals, timers and workers' messages get their turn, whatever the backend
      const stepMs = performance.now() - started;
      yield { step, phase: phase?.name, loss, learningRate, stepMs, dataWaitMs: started - asked };
      if (step === steps) return;
      asked = performance.now();
      onStage("wait");
    }
  } finally {
    training.dispose();
    await iterator.return?.();
  }
}

function iteratorOf(
  batches: AsyncIterable<Batch> | Iterable<Batch>,
): AsyncIterator<Batch> | Iterator<Batch> {
  const given = Object(batches);
  if (Symbol.asyncIterator in given) return given[Symbol.asyncIterator]();
  if (Symbol.iterator in given) return given[Symbol.iterator]();
  throw new TypeError(`trainLoop: expected an iterable of batches but got ${show(batches)}`);
}

function check(options: TrainLoopOptions<never>): void {
  const { optimizer, schedule, lossFn, steps, startStep = 0, phases = [] } = options;
  if (typeof optimizer?.apply !== "function")
    throw new TypeError(
      `trainLoop: expected nesterov(), adamw() or another Optimizer of @gz/train for optimizer but got ${show(optimizer)}`,
    );
  checkFunction("trainLoop", "schedule", schedule);
  checkFunction("trainLoop", "lossFn", lossFn);
  checkInteger("trainLoop", "steps", steps, 1);
  checkInteger("trainLoop", "startStep", startStep, 0);
  checkInteger("trainLoop", "readLossEvery", options.readLossEvery ?? 1, 1);
  checkPhases(phases);
}

function toTensors(values: Values | Values[], name: string): Tensors {
  if (Array.isArray(values)) return values.map((value) => toTensor(value, name));
  return toTensor(values, name);
}

function toTensor(value: Values, name: string): tf.Tensor {
  if (value instanceof tf.Tensor) return value;
  if (!value?.data || !value.shape)
    throw new TypeError(
      `trainLoop: expected a tensor or { data, shape } for ${name} but got ${show(value)}`,
    );
  return tf.tensor(value.data, [...value.shape]);
}
