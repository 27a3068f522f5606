import * as tf from "@tensorflow/tfjs";
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
  { lossFn, learningRate, onStage }: TrainStepOptions<Y>,
): { loss: tf.Scalar } {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  onStage?.("forward");
  const { value: loss, grads } = tf.variableGrads(() => {
    const predictions = model.apply(xs, { training: true }) as Y;
    const penalties = model.calculateLosses();
    const sum = penalties.reduce<tf.Scalar>(
      (sum, penalty) => sum.add(penalty),
      lossFn(ys, predictions) as tf.Scalar,
    );
    onStage?.("backward");
    return sum;
  }, variables);
  const gradients = variables.map(({ name }) => grads[name]);
  onStage?.("update");
  optimizer.apply(variables, gradients, learningRate);
  tf.dispose(grads);
  return { loss };
}
