/** Five training steps of `best` against an independent float64 program (fixtures/README.md), on any backend. */
import { readFileSync } from "node:fs";
import { setTreeMode } from "@gz/layers";
import { compile, nesterov, type Work } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { expect } from "vitest";
import { buildNetwork } from "../src/network/network.ts";
import { loadRecipe, type Recipe } from "../src/recipe/recipe.ts";

interface Digest {
  mean: number;
  rms: number;
  first: number[];
  middle: number[];
  last: number[];
}

interface GoldenStep {
  mode: "clip" | "tree";
  loss: number;
  outputs: number[];
  gradients: Record<string, Digest>;
  parametersAfter: Record<string, Digest>;
}

const golden = JSON.parse(
  readFileSync(new URL("./fixtures/best-steps.json", import.meta.url), "utf8"),
) as { momentum: number; learningRate: number; parameters: number; steps: GoldenStep[] };

const STDS = [0.15, 0.05, 0.06, 0.04, 0.01, 0.02, 0.1];
const BIASES = [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.3];
const LAYERS = ["conv1", "conv2", "conv3", "conv4", "dense1", "dense2", "head"];

/** The fixtures' formula, sin(0.7 n + sin(0.013 n)) from n = offset on, scaled and shifted. */
export function wave(count: number, offset: number, scale: number, shift = 0): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const n = i + offset;
    out[i] = shift + scale * Math.sin(0.7 * n + Math.sin(0.013 * n));
  }
  return out;
}

/** `best` without dropout, its parameters from the fixture's formula. */
function goldenModel(): tf.LayersModel {
  const best = loadRecipe("best");
  if (best.network.kind !== "parts") throw new Error("best has parts");
  const { network } = best;
  const recipe: Recipe = {
    ...best,
    network: {
      ...network,
      dense: network.dense.map((layer) => ({ ...layer, dropout: 0 })),
      head: { ...network.head, dropout: 0 },
    },
  };
  const { model } = buildNetwork(recipe, 1);
  setWaves(model, LAYERS, STDS, BIASES);
  return model;
}

/** Gives the layers named, in this order, the fixtures' parameters of these standard deviations and biases. */
export function setWaves(
  model: tf.LayersModel,
  names: readonly string[],
  stds: readonly number[],
  biases: readonly number[],
): void {
  let offset = 0;
  names.forEach((name, i) => {
    const layer = model.getLayer(name);
    const [kernel] = layer.getWeights();
    const { shape, size } = kernel!;
    const values = tf.tensor(wave(size, offset, stds[i]! * Math.SQRT2), shape);
    offset += size;
    if (name.startsWith("conv")) {
      layer.setWeights([values]);
      const biasLayer = model.getLayer(`${name}_bias`);
      biasLayer.setWeights([tf.fill(biasLayer.getWeights()[0]!.shape, biases[i]!)]);
    } else layer.setWeights([values, tf.fill([shape[1]!], biases[i]!)]);
    values.dispose();
  });
}

/** The fixture's name of each trainable weight, in the model's order. */
function goldenNames(model: tf.LayersModel): string[] {
  return model.trainableWeights.map(({ originalName }) => {
    const [layer = "", weight = ""] = originalName.split("/");
    return `${layer.replace("_bias", "").replace("head", "dense3")}/${weight === "kernel" ? "kernel" : "bias"}`;
  });
}

/** Reads only what the digest needs, so that 42 million numbers are not compared in JavaScript five times. */
async function digest(tensor: tf.Tensor): Promise<Digest> {
  const data = await tensor.data();
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    sum += data[i]!;
    squares += data[i]! * data[i]!;
  }
  const slice = (from: number) => Array.from(data.slice(from, from + 4));
  const n = data.length;
  return {
    mean: sum / n,
    rms: Math.sqrt(squares / n),
    first: slice(0),
    middle: slice(Math.floor(n / 2)),
    last: slice(n - 4),
  };
}

function near(value: number, expected: number, rtol: number, what: string): void {
  expect([value], what).toBeAllClose([expected], { rtol, atol: 0 });
}

/**
 * Runs the five steps on the current backend. Tolerances: loss 1e-5 relative, outputs 2e-5, gradients' RMS 1e-3
 * relative, parameters' RMS 1e-6 relative, parameters' samples 2e-6. With `asGraph` forward and backward are a graph.
 */
export async function checkGoldenSteps({ asGraph = false } = {}): Promise<void> {
  const model = goldenModel();
  expect(model.countParams()).toBe(golden.parameters);
  const names = goldenNames(model);
  expect([...names].sort()).toEqual(Object.keys(golden.steps[0]!.gradients).sort());
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const optimizer = nesterov({ momentum: golden.momentum });
  const xs = tf.tensor(wave(2 * 2 * 69 * 69 * 3, 12345, 0.5, 0.5), [2, 2, 69, 69, 3]);
  const ys = tf.tensor(
    wave(2 * 37, 777, 0.5, 0.5).map((value) => value * 0.3),
    [2, 37],
  );
  const work: Work = ([xs, ys]) => {
    let outputs!: tf.Tensor;
    const { value, grads } = tf.variableGrads(() => {
      outputs = tf.keep(model.apply(xs!, { training: true }) as tf.Tensor);
      return tf.losses.meanSquaredError(ys!, outputs) as tf.Scalar;
    }, variables);
    return [value, outputs, ...variables.map(({ name }) => grads[name]!)];
  };
  const { run, dispose } = asGraph ? compile(work) : { run: work, dispose() {} };
  for (const [i, step] of golden.steps.entries()) {
    if (step.mode !== golden.steps[i - 1]?.mode) dispose(); // another graph
    setTreeMode(model, step.mode === "clip" ? "clip" : "normal");
    if (i === 2) optimizer.reset(); // the phase change starts velocity afresh
    const [loss, outputs, ...gradients] = run([xs, ys]) as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
    near((await loss.data())[0]!, step.loss, 1e-5, `step ${i} loss`);
    expect((await outputs.data()).slice(0, 37)).toBeAllClose(step.outputs, {
      rtol: 0,
      atol: 2e-5,
    });
    for (const [k, name] of names.entries()) {
      const gradient = await digest(gradients[k]!);
      near(gradient.rms, step.gradients[name]!.rms, 1e-3, `step ${i} gradient ${name}`);
    }
    optimizer.apply(variables, gradients, golden.learningRate);
    tf.dispose([loss, outputs, gradients]);
    for (const [k, name] of names.entries()) {
      const after = await digest(variables[k]!);
      const expected = step.parametersAfter[name]!;
      near(after.rms, expected.rms, 1e-6, `step ${i} parameter ${name}`);
      for (const part of ["first", "middle", "last"] as const)
        expect(after[part], `step ${i} ${name} ${part}`).toBeAllClose(expected[part], {
          rtol: 0,
          atol: 2e-6,
        });
    }
  }
  dispose();
  optimizer.dispose();
  tf.dispose([xs, ys]);
  model.dispose();
}
