import { useBackend } from "@gz/backend";
import { adamw } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { alone, compare, interleave, THREADS, timed } from "../lib/measure.mjs";

/** The figures of @gz/backend's README, natively: gradients beside tfjs's ways to them, and an update in place. */
export default async function kernels({ quick, note, row }) {
  note((await useBackend({ prefer: "tensorflow", threads: THREADS })).line);
  const repetitions = { rounds: quick ? 3 : 9, times: 5 };
  const pair = (what, ours, beside, theirs) =>
    besideOther(what, ours, beside, theirs, repetitions, row);

  const x = tf.randomNormal([256, 40, 40, 32], 0, 1, "float32", 1);
  const upstream = tf.randomNormal(x.shape, 0, 1, "float32", 2);
  const positive = tf.relu(x);
  await pair(
    "gradient of relu, 13 million",
    () => tf.engine().runKernel("GzReluGrad", { dy: upstream, y: positive }),
    "tf.mul, cast, step",
    () => tf.mul(upstream, tf.cast(tf.step(x), "float32")),
  );
  tf.dispose([upstream, positive]);

  const pooled = tf.maxPool(x, 2, 2, "valid");
  const dy = tf.randomNormal(pooled.shape, 0, 1, "float32", 3);
  const attrs = { filterSize: 2, strides: 2, pad: "valid" };
  await pair(
    "gradient of max pooling, 2 x 2",
    () => tf.engine().runKernel("MaxPoolGrad", { dy, input: x, output: pooled }, attrs),
    "TensorFlow's",
    () => tensorflowsPoolGradient(x, pooled, dy),
  );
  tf.dispose([x, pooled, dy]);

  const optimizer = adamw({ weightDecay: 0.01 });
  const weights = tf.variable(tf.fill([8192, 4096], 0.01));
  const gradient = tf.fill([8192, 4096], 0.1);
  const update = async () => {
    optimizer.apply([weights], [gradient], 1e-3);
    await element(weights);
  };
  await alone({ "AdamW on 33.6 million weights": update }, repetitions, row);
}

/** A row of two ways to the same tensor, whose values are compared first. */
async function besideOther(what, ours, beside, theirs, repetitions, row) {
  const off = tf.tidy(() => tf.max(tf.abs(tf.sub(ours(), theirs()))).dataSync()[0]);
  if (off !== 0) throw new Error(`kernels: expected ${beside} ${what} but ours is off by ${off}`);
  const read = (work) => async () => {
    const result = tf.tidy(work);
    await element(result);
    result.dispose();
  };
  const sides = { ours: timed(read(ours)), theirs: timed(read(theirs)) };
  const blocks = await interleave(sides, repetitions);
  row(compare(what, blocks.ours, beside, blocks.theirs));
}

/** By TensorFlow's operation, as tfjs-node calls it. */
function tensorflowsPoolGradient(x, y, dy) {
  const backend = tf.backend();
  const { TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const attributes = [
    { name: "T", type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: "ksize", type: TF_ATTR_INT, value: [1, 2, 2, 1] },
    { name: "strides", type: TF_ATTR_INT, value: [1, 2, 2, 1] },
    { name: "padding", type: TF_ATTR_STRING, value: "VALID" },
    { name: "data_format", type: TF_ATTR_STRING, value: "NHWC" },
  ];
  return backend.executeSingleOutput("MaxPoolGrad", attributes, [x, y, dy]);
}

/** Waits until a tensor is computed: reads one element back. */
async function element(tensor) {
  const one = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), 0, 1));
  await one.data();
  one.dispose();
}
