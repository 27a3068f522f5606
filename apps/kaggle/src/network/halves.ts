/** A network of parts in two halves, so that parts of any transforms can be put together between them. */
import * as tf from "@tensorflow/tfjs";

/** Both without dropout. */
export interface Halves {
  /** Views [n, 1, S, S, 3] to the features of their parts, [n, parts, F]. */
  features(views: tf.Tensor): tf.Tensor3D;
  /** The features of all parts of each of n inputs, [n, parts F], to the model's outputs. */
  outputs(features: tf.Tensor2D): tf.Tensor2D;
}

/** Cuts a model, a chain of layers, where its parts are merged; undefined if it ends before. */
export function halvesOf(model: tf.LayersModel): Halves | undefined {
  const layers = model.layers.slice(1); // without the input
  const merge = layers.findIndex((layer) => layer.getClassName() === "GzMergeParts");
  if (merge < 0) return undefined;
  const through = (chain: readonly tf.layers.Layer[], x: tf.Tensor): tf.Tensor =>
    chain.reduce((y, layer) => layer.apply(y, { training: false }) as tf.Tensor, x);
  return {
    features: (views) =>
      tf.tidy(() => {
        const n = views.shape[0]!;
        const rows = through(layers.slice(0, merge), views); // row p n + i is part p of view i
        return tf.transpose(tf.reshape(rows, [rows.shape[0]! / n, n, -1]), [1, 0, 2]);
      }) as tf.Tensor3D,
    outputs: (features) => tf.tidy(() => through(layers.slice(merge + 1), features)) as tf.Tensor2D,
  };
}
