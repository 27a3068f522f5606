import { useBackend } from "@gz/backend";
import { KAGGLE_TREE } from "@gz/galaxies";
import { batchNorm, dropout, treeOutput } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { compare, interleave, THREADS, timed } from "../lib/measure.mjs";

/** The figures of @gz/layers' README: its layers beside what tfjs has for the same, natively. */
export default async function layers(bench) {
  await besideTfjs("tensorflow", bench);
}

/** On a backend. What both sides compute is compared first. */
export async function besideTfjs(backend, { quick, note, row }) {
  note((await useBackend({ prefer: backend, threads: THREADS })).line);
  const repetitions = { rounds: quick ? 3 : 15, times: backend === "wasm" ? 3 : 10 };
  async function pair(what, shape, ours, beside, theirs) {
    const x = tf.randomUniform(shape, 0.1, 1, "float32", 1);
    await checkSameWork(
      what,
      () => ours(x),
      () => theirs(x),
    );
    const sides = {
      ours: timed(() => read(() => ours(x))),
      theirs: timed(() => read(() => theirs(x))),
    };
    const blocks = await interleave(sides, repetitions);
    row(compare(`${what}, ${backend}`, blocks.ours, beside, blocks.theirs));
    x.dispose();
  }

  const image = [32, 32, 32, 32];
  const norms = [batchNorm(), tf.layers.batchNormalization({ epsilon: 1e-5 })].map(trained);
  const beside = "tf's batchNormalization";
  await pair("batchNorm and its gradient", image, norms[0], beside, norms[1]);
  const fused = ["GzBatchNorm", "GzBatchNormGrad"].map((name) => tf.getKernel(name, backend));
  for (const { kernelName } of fused) tf.unregisterKernel(kernelName, backend);
  await pair("the same, no fused kernels", image, norms[0], beside, norms[1]);
  for (const kernel of fused) tf.registerKernel(kernel);

  const tree = gradientOf((z) => treeOutput({ tree: KAGGLE_TREE }).apply(z));
  await pair(
    "treeOutput and its gradient",
    [32, 37],
    tree,
    "tf.split, div, mul",
    gradientOf(byQuestion),
  );

  // Other masks: only their times can be compared.
  const x = tf.ones([16, 8192]);
  const [ours, theirs] = [dropout({ rate: 0.5, seed: 1 }), tf.layers.dropout({ rate: 0.5 })].map(
    (layer) => timed(() => read(() => [layer.apply(x, { training: true })])),
  );
  const blocks = await interleave({ ours, theirs }, repetitions);
  row(compare(`dropout, ${backend}`, blocks.ours, "tf's dropout", blocks.theirs));
}

/** A layer's output and the gradient of its input, in a training call. */
function trained(layer) {
  return gradientOf((x) => layer.apply(x, { training: true }));
}

/** x -> [f(x), d sum(f(x) x) / dx]: a gradient of ones would be 0 through anything that normalises. */
function gradientOf(f) {
  return (x) => {
    let y;
    const dx = tf.grad((t) => {
      y = tf.keep(f(t));
      return tf.sum(tf.mul(y, x));
    })(x);
    return [y, dx];
  };
}

/** The tree by tfjs's own operations, question by question. */
function byQuestion(z) {
  const outputs = new Map();
  const sizes = KAGGLE_TREE.map(({ answers }) => answers.length);
  const questions = tf.split(tf.relu(z), sizes, 1).map((r, q) => {
    const { answers, parents } = KAGGLE_TREE[q];
    let p = tf.div(r, tf.add(tf.sum(r, 1, true), 1e-12));
    if (parents) p = tf.mul(p, outputs.get(parents[0]));
    const columns = answers.length === 1 ? [p] : tf.split(p, answers.length, 1);
    for (const [i, answer] of answers.entries()) outputs.set(answer, columns[i]);
    return p;
  });
  return tf.concat(questions, 1);
}

/** Runs it to its end: the last result read back, all freed. */
async function read(work) {
  const results = tf.tidy(work);
  await results.at(-1).data();
  tf.dispose(results);
}

/** A ratio between different work would say nothing. */
async function checkSameWork(what, ours, theirs) {
  const [a, b] = await Promise.all(
    [ours, theirs].map(async (work) => {
      const results = tf.tidy(work);
      const values = await Promise.all(results.map((t) => t.data()));
      tf.dispose(results);
      return values.flatMap((v) => [...v]);
    }),
  );
  const off = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  if (!(off < 1e-3))
    throw new Error(`layers: expected tfjs's values of ${what} but they are off by ${off}`);
}
