import { useBackend } from "@gz/backend";
import { setDropoutStep } from "@gz/layers";
import { compile as asGraph, trainLoop } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { asTrained, inputShape } from "../../apps/kaggle/dist/images/input.js";
import { initialize } from "../../apps/kaggle/dist/network/initialize.js";
import { buildNetwork } from "../../apps/kaggle/dist/network/network.js";
import { loadRecipe } from "../../apps/kaggle/dist/recipe/recipe.js";
import { averageOf, optimizerOf } from "../../apps/kaggle/dist/training/from-recipe.js";
import { THREADS } from "./measure.mjs";

/** A recipe's network on a backend, ready to train and to predict as the app does; `changes` to the recipe. */
export async function openNetwork(name, backend, changes = {}, threads = THREADS) {
  const { line } = await useBackend({ prefer: backend, threads });
  const recipe = { ...loadRecipe(name), ...changes };
  const network = buildNetwork(recipe, 1);
  initialize(network, recipe, 1, new Float32Array(37).fill(0.2));
  const { model } = network;
  const shape = inputShape(asTrained(recipe), recipe.batch);
  const xs = { data: random(shape, 7), shape };
  const ys = { data: random([recipe.batch, 37], 8), shape: [recipe.batch, 37] };
  const optimizer = optimizerOf(recipe);
  const average = averageOf(recipe, model);

  /**
   * A function that makes one step: the next batch uploaded, dropout's masks drawn, forward, backward, update, the loss
   * read back. Without batches it is the same one, of random numbers in memory. Without `compile` operations go one by one.
   */
  function training(batches = endlessly({ xs, ys }), { compile = true } = {}) {
    const loop = trainLoop(model, batches, {
      optimizer,
      schedule: () => 1e-3,
      lossFn: tf.losses.meanSquaredError,
      steps: Number.MAX_SAFE_INTEGER,
      compile,
      beforeStep: (step) => setDropoutStep(model, step),
    });
    return async () => {
      await loop.next();
      average?.update();
    };
  }

  const predict = asGraph(([input]) => [tf.tidy(() => model.apply(input, { training: false }))]);
  async function forward() {
    const input = tf.tensor(xs.data, shape);
    const [predictions] = predict.run([input]);
    await predictions.data();
    tf.dispose([input, predictions]);
  }

  const parameters = model.trainableWeights.reduce(
    (sum, weight) => sum + tf.util.sizeFromShape(weight.shape),
    0,
  );
  return { line, recipe, model, parameters, training, forward };
}

function random(shape, seed) {
  return tf.tidy(() => tf.randomUniform(shape, 0, 1, "float32", seed).dataSync());
}

function* endlessly(batch) {
  while (true) yield batch;
}
