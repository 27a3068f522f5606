import { useBackend } from "@gz/backend";
import { setDropoutStep } from "@gz/layers";
import { adamw, nesterov, trainStep, weightAverage } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { buildNetwork, initialize } from "../../apps/kaggle/dist/network.js";
import { loadRecipe } from "../../apps/kaggle/dist/recipe.js";
import { THREADS } from "./measure.mjs";

/** A recipe's network on a backend, with random views and labels in memory, ready to train and to predict. */
export async function openNetwork(name, backend) {
  const { line } = await useBackend({ prefer: backend, threads: THREADS });
  const recipe = loadRecipe(name);
  const network = buildNetwork(recipe, 1);
  initialize(network, recipe, 1, new Float32Array(37).fill(0.2));
  const { model } = network;
  const { input, batch, optimizer: chosen } = recipe;
  const shape = [batch, input.angles.length, input.size, input.size, 3];
  const views = tf.tidy(() => tf.randomUniform(shape, 0, 1, "float32", 7).dataSync());
  const labels = tf.tidy(() => tf.randomUniform([batch, 37], 0, 1, "float32", 8).dataSync());
  const optimizer = chosen.kind === "nesterov" ? nesterov(chosen) : adamw(chosen);
  const average = recipe.average && weightAverage(model, { decay: recipe.average });
  let steps = 0;

  /** What the app does at each step: upload, dropout's masks, forward, backward, update, the loss read back. */
  async function step() {
    setDropoutStep(model, steps++);
    const xs = tf.tensor(views, shape);
    const ys = tf.tensor(labels, [batch, 37]);
    const lossFn = tf.losses.meanSquaredError;
    const { loss } = trainStep(model, optimizer, { xs, ys }, { lossFn, learningRate: 1e-3 });
    average?.update();
    const [value] = await loss.data();
    tf.dispose([xs, ys, loss]);
    return value;
  }

  async function forward() {
    const xs = tf.tensor(views, shape);
    const predictions = model.predict(xs);
    await predictions.data();
    tf.dispose([xs, predictions]);
  }

  const parameters = model.trainableWeights.reduce(
    (sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1),
    0,
  );
  return { line, recipe, model, optimizer, batch, parameters, step, forward };
}
