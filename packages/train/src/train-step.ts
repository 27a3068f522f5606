import * as tf from "@tensorflow/tfjs";
import { compile, type Work } from "./compile.ts";
import type { Optimizer } from "./optimizer.ts";

/** One tensor, or a list of them for a model with several inputs or outputs. */
export type Tensors = tf.Tensor | tf.Tensor[];

/** What a step of the loop spends its time on, in this order; the last is reading the loss back. */
export type Stage = "wait" | "upload" | "forward" | "backward" | "update" | "loss";

/** Options of `trainStep`. */
export interface TrainStepOptions<Y extends Tensors = tf.Tensor> {
  /** The loss of one batch, a scalar: any function made of tf operations, such as tf.losses.meanSquaredError. */
  lossFn: (ys: Y, predictions: Y) => tf.Tensor;
  learningRate: number;
  /** Called as forward, backward and update begin: the place to look at a clock. */
  onStage?(stage: Stage): void;
}

/**
 * One step of training: forward (with dropout and batch statistics), backward, update. The regularisers of the model's
 * layers add to the loss, as in model.fit.
 *
 * Returns the loss before the update as a scalar tensor that the caller disposes. It is not read back here, so on a GPU
 * the host need not wait for it.
 */
export function trainStep<Y extends Tensors = tf.Tensor>(
  model: tf.LayersModel,
  optimizer: Optimizer,
  { xs, ys }: { xs: Tensors; ys: Y },
  options: TrainStepOptions<Y>,
): { loss: tf.Scalar } {
  return stepOf(model, optimizer, options).step({ xs, ys }, options.learningRate);
}

/** `trainStep` for many batches, its forward and backward pass as a graph with `compile`. */
export function stepOf<Y extends Tensors = tf.Tensor>(
  model: tf.LayersModel,
  optimizer: Optimizer,
  { lossFn, onStage }: Pick<TrainStepOptions<Y>, "lossFn" | "onStage">,
  { compile: asGraph = false }: { compile?: boolean } = {},
): {
  step(batch: { xs: Tensors; ys: Y }, learningRate: number): { loss: tf.Scalar };
  dispose(): void;
} {
  /** How many of the tensors that the work is given are inputs, and whether either is a list. */
  let form = { inputs: 1, lists: [false, false] };
  let variables: tf.Variable[] = [];
  /** Of those that have gradients, in the gradients' order. */
  let names: string[] = [];

  const work: Work = (given) => {
    const [xs, ys] = [given.slice(0, form.inputs), given.slice(form.inputs)].map((list, i) =>
      form.lists[i] ? list : list[0]!,
    ) as [Tensors, Y];
    const { value, grads } = tf.variableGrads(() => {
      const predictions = model.apply(xs, { training: true }) as Y;
      const penalties = model.calculateLosses();
      const sum = penalties.reduce<tf.Scalar>(
        (sum, penalty) => sum.add(penalty),
        lossFn(ys, predictions) as tf.Scalar,
      );
      onStage?.("backward");
      return sum;
    }, variables);
    names = Object.keys(grads);
    return [value, ...Object.values(grads)];
  };
  const { run, dispose } = asGraph ? compile(work) : { run: work, dispose() {} };

  return {
    step({ xs, ys }, learningRate) {
      form = { inputs: [xs].flat().length, lists: [xs, ys].map(Array.isArray) };
      // Each once: a layer that two nested models share is listed by both.
      const weights = new Set(model.trainableWeights);
      if (weights.size === 0)
        throw new Error("trainLoop: expected a model with trainable weights but all are frozen");
      variables = [...weights].map((weight) => weight.read() as tf.Variable);
      onStage?.("forward");
      const [loss, ...gradients] = run([xs, ys].flat());
      const byName = new Map(names.map((name, i) => [name, gradients[i]]));
      onStage?.("update");
      try {
        optimizer.apply(
          variables,
          variables.map(({ name }) => byName.get(name)),
          learningRate,
        );
      } catch (error) {
        loss!.dispose();
        throw error;
      } finally {
        tf.dispose(gradients);
      }
      return { loss: loss as tf.Scalar };
    },
    dispose,
  };
}
