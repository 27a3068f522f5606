/**
 * Six training steps of a small network with dense layers on each part and norm constraints against an independent
 * float64 program (fixtures/README.md), on any backend.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTreeMode } from "@gz/layers";
import { nesterov, trainLoop } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { expect } from "vitest";
import { buildNetwork } from "../src/network/network.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";
import { constraintsOf } from "../src/training/from-recipe.ts";
import { setWaves, wave } from "./golden.ts";

interface Golden {
  momentum: number;
  learningRate: number;
  losses: number[];
  /** Of the first step, as are the gradients. */
  outputs: number[];
  gradients: Record<string, number[]>;
  /** After the last step. */
  parameters: Record<string, number[]>;
}

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(fixture("shared-norm-steps.json"), "utf8")) as Golden;

/**
 * Runs the steps on the current backend. Tolerances: losses 1e-5 relative, all else 2e-5 of the tensor's RMS. With
 * `asGraph` forward and backward are a graph.
 */
export async function checkSharedNormSteps({ asGraph = false } = {}): Promise<void> {
  const recipe = loadRecipe(fixture("shared-norm.json"));
  const { model } = buildNetwork(recipe, 1);
  setTreeMode(model, "normal");
  const layers = ["conv1", "conv2", "shared1", "dense1", "dense2", "head"];
  setWaves(model, layers, [0.15, 0.2, 0.3, 0.1, 0.4, 0.4], [0.1, 0.1, 0.1, 0.01, 0.01, 0.3]);
  const weights = new Map(
    model.trainableWeights.map((weight) => [
      weight.originalName.replace("_bias/", "/"),
      weight.read() as tf.Variable,
    ]),
  );
  expect([...weights.keys()].sort()).toEqual(Object.keys(golden.parameters).sort());

  const shape: [number, number, number, number, number] = [2, 2, 19, 19, 3];
  const xs = () => tf.tensor(wave(tf.util.sizeFromShape(shape), 12345, 0.5, 0.5), shape);
  const ys = () => tf.tensor(wave(2 * 37, 777, 0.15, 0.15), [2, 37]);
  const [inputs, targets] = [xs(), ys()];
  let outputs: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    outputs = tf.keep(model.apply(inputs, { training: true }) as tf.Tensor);
    return tf.losses.meanSquaredError(targets, outputs) as tf.Scalar;
  }, [...weights.values()]);
  await expectNear(outputs!, golden.outputs, "outputs");
  for (const [name, expected] of Object.entries(golden.gradients))
    await expectNear(grads[weights.get(name)!.name]!, expected, `gradient of ${name}`);
  tf.dispose([inputs, targets, outputs!, value, grads as unknown as tf.TensorContainer]);

  const optimizer = nesterov({ momentum: golden.momentum });
  const constrain = constraintsOf(recipe);
  const steps = golden.losses.length;
  const training = trainLoop(model, batches(steps, xs, ys), {
    optimizer,
    schedule: () => golden.learningRate,
    lossFn: (labels, predictions) => tf.losses.meanSquaredError(labels, predictions),
    steps,
    compile: asGraph,
  });
  const losses: number[] = [];
  for await (const { step, loss } of training) {
    constrain(model, step);
    losses.push(loss!);
  }
  expect(losses).toBeAllClose(golden.losses, { rtol: 1e-5, atol: 0 });
  for (const [name, expected] of Object.entries(golden.parameters))
    await expectNear(weights.get(name)!, expected, `${name} after ${steps} steps`);
  optimizer.dispose();
  model.dispose();
}

/** The same batch again and again: the loop disposes what it is given. */
function* batches(steps: number, xs: () => tf.Tensor, ys: () => tf.Tensor) {
  for (let i = 0; i < steps; i++) yield { xs: xs(), ys: ys() };
}

async function expectNear(tensor: tf.Tensor, expected: number[], what: string): Promise<void> {
  const rms = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length);
  expect(await tensor.data(), what).toBeAllClose(expected, { rtol: 0, atol: 2e-5 * rms });
}
