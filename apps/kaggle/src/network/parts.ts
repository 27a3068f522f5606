/** The winner's network: views -> parts on the batch axis -> convolutions with a bias for each position -> dense. */
import { dropout, maxout, mergeParts, splitParts, untiedBias } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import type { PartsNetwork } from "../recipe/recipe.ts";
import { type Apply, convolution } from "./graph.ts";

/** Parts that a view is cut into: four corners, of it and of its mirror image. */
const PARTS_PER_VIEW = 8;
/** Pooling unless the recipe says otherwise. */
const PAIRS = { size: 2, stride: 2 };

/** Views [B, V, S, S, 3] to features [B, F]. */
export function parts(
  network: PartsNetwork,
  views: tf.SymbolicTensor,
  seed: number,
  apply: Apply,
): tf.SymbolicTensor {
  const relu = (name: string) => tf.layers.activation({ name: `${name}_relu`, activation: "relu" });
  let x = apply(splitParts({ name: "parts", partSize: network.partSize }), views);

  network.conv.forEach(({ filters, size, stride, pool, std, bias }, i) => {
    const name = `conv${i + 1}`;
    const options = { name, filters, kernelSize: size, strides: stride ?? 1 };
    x = apply(convolution(options, i === 0), x, { std, bias: 0 });
    x = apply(untiedBias({ name: `${name}_bias` }), x, { std: 0, bias });
    x = apply(relu(name), x);
    if (!pool) return;
    const { size: poolSize, stride: strides } = pool === true ? PAIRS : pool;
    // "same" keeps the last row and column of an odd size, as the winner's pooling does.
    const pooling = { name: `pool${i + 1}`, poolSize, strides, padding: "same" as const };
    x = apply(tf.layers.maxPooling2d(pooling), x);
  });
  x = apply(tf.layers.flatten({ name: "features" }), x);

  const { perPart, merged } = denseLayers(network);
  const dense = ({ name, units, pieces, dropout: rate, ...start }: NamedDense, index: number) => {
    if (rate > 0)
      x = apply(dropout({ name: `${name}_dropout`, rate, seed: seed * 100 + index }), x);
    const linear = tf.layers.dense({ name, units: units * pieces, kernelInitializer: "zeros" });
    x = apply(linear, x, start);
    x = apply(pieces > 1 ? maxout({ name: `${name}_maxout`, pieces }) : relu(name), x);
  };
  perPart.forEach(dense);
  const count = views.shape[1]! * PARTS_PER_VIEW;
  x = apply(mergeParts({ name: "merge", parts: count }), x);
  merged.forEach((layer, i) => {
    dense(layer, perPart.length + i);
  });
  return x;
}

type NamedDense = PartsNetwork["dense"][number] & { name: string };

/** The hidden dense layers in order, with the names they get: those of each part, then those of all parts together. */
export function denseLayers({ shared, dense }: PartsNetwork): {
  perPart: NamedDense[];
  merged: NamedDense[];
} {
  const named = (prefix: string, layers: PartsNetwork["dense"]) =>
    layers.map((layer, i) => ({ name: `${prefix}${i + 1}`, ...layer }));
  return { perPart: named("shared", shared ?? []), merged: named("dense", dense) };
}
