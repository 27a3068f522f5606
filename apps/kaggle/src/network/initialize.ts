/** Initial weights, drawn by our own generator. */
import { createRng } from "@gz/augment";
import * as tf from "@tensorflow/tfjs";
import { treeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { Network } from "./network.ts";

/**
 * Draws the initial weights: the same numbers for the same (seed, layer), on every backend.
 * @param meanLabel mean training label, for heads whose bias is "mean-label".
 */
export function initialize(
  { model, starts }: Network,
  recipe: Recipe,
  seed: number,
  meanLabel: Float32Array,
): void {
  model.layers.forEach((layer, index) => {
    const start = starts.get(layer.name);
    if (!start) return;
    const values = layer.getWeights().map((weight) => {
      const isBias = start.std === 0 || weight.rank === 1;
      const data = isBias
        ? biasValues(start.bias, weight.size, recipe, meanLabel)
        : kernelValues(start.std, weight.shape, seed, index);
      return tf.tensor(data, weight.shape);
    });
    layer.setWeights(values);
    tf.dispose(values);
  });
}

function kernelValues(
  std: number | "he",
  shape: number[],
  seed: number,
  layer: number,
): Float32Array {
  const size = tf.util.sizeFromShape(shape);
  const fanIn = size / (shape.at(-1) ?? 1);
  const data = new Float32Array(size);
  const sigma = std === "he" ? Math.sqrt(2 / fanIn) : std;
  const rng = createRng(seed, 0x1417, layer);
  for (let i = 0; i < size; i++) data[i] = rng.normal(0, sigma);
  return data;
}

/** The bias under which a head without input answers every question as the mean galaxy does. */
function biasValues(
  bias: number | "mean-label",
  size: number,
  recipe: Recipe,
  meanLabel: Float32Array,
): Float32Array {
  if (bias !== "mean-label") return new Float32Array(size).fill(bias);
  const data = new Float32Array(size);
  let column = 0;
  for (const { answers } of treeOf(recipe)) {
    const votes = meanLabel.subarray(column, column + answers.length);
    const sum = votes.reduce((a, b) => a + b, 0) || 1; // a question that nobody was asked
    for (let i = 0; i < answers.length; i++) {
      const share = Math.max((votes[i] ?? 0) / sum, 1e-4);
      data[column + i] = recipe.output.normalize === "softmax" ? Math.log(share) : share;
    }
    column += answers.length;
  }
  return data;
}
