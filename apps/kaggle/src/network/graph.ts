/** What the two kinds of network share while they are built. */
import type * as tf from "@tensorflow/tfjs";

/** How a layer's weights start: normal with this standard deviation, and a constant bias. */
export interface Start {
  std: number | "he";
  bias: number | "mean-label";
}

/** Puts a layer on top of a value; with a `start`, initialize() draws its weights. */
export type Apply = (
  layer: tf.layers.Layer,
  value: tf.SymbolicTensor | tf.SymbolicTensor[],
  start?: Start,
) => tf.SymbolicTensor;
