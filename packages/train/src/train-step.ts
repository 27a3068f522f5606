import * as tf from "@tensorflow/tfjs";
import type { Optimizer } from "./optimizer.ts";

/** One tensor, or a list of them for a model with several inputs or outputs. */
export type Tensors = tf.Tensor | tf.Tensor[];

export interface TrainStepOptions {
  /** The loss of one batch, a scalar: any function made of tf operations, such as tf.losses.meanSquaredError. */
  lossFn(ys: Tensors, predictions: Tensors): tf.Tensor;
  learningRate: number;
}

/**
 * One step of training: forward (with dropout and batch statistics), backward, update.
 *
 * Returns the loss before the update as a scalar tensor that the caller disposes. It is not read back here, so on a GPU
 * the host need not wait for it.
 */
export function trainStep(
  model: tf.LayersModel,
  optimizer: Optimizer,
  { xs, ys }: { xs: Tensors; ys: Tensors },
  { lossFn, learningRate }: TrainStepOptions,
): { loss: tf.Scalar } {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const { value: loss, grads } = tf.variableGrads(
    () => lossFn(ys, model.apply(xs, { training: true }) as Tensors) as tf.Scalar,
    variables,
  );
  const gradients = variables.map(({ name }) => grads[name]);
  optimizer.apply(variables, gradients, learningRate);
  tf.dispose(grads);
  return { loss };
}
