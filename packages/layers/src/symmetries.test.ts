import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { gradients, leaked, reloadError, wave } from "../test/helpers.ts";
import { squareSymmetries } from "./symmetries.ts";
import { averageViews } from "./views.ts";

beforeAll(() => tf.setBackend("cpu"));

const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);

test("the eight turns and mirror images of a square, the image itself first", () => {
  const y = squareSymmetries().apply(image) as tf.Tensor;
  const rows = (tf.reshape(y, [8, 4]) as tf.Tensor2D).arraySync();
  expect(rows[0]).toEqual([1, 2, 3, 4]);
  expect(rows.map((row) => row.join("")).sort()).toEqual([
    "1234", // as it is
    "1324", // mirrored on the diagonal
    "2143", // left and right
    "2413", // a quarter turn
    "3142", // three quarters
    "3412", // up and down
    "4231", // the other diagonal
    "4321", // a half turn
  ]);
});

test("of each image, side by side", () => {
  const batch = tf.concat([image, tf.mul(image, 10)]);
  const rows = (
    tf.reshape(squareSymmetries().apply(batch) as tf.Tensor, [16, 4]) as tf.Tensor2D
  ).arraySync();
  for (let s = 0; s < 8; s++) expect(rows[8 + s]).toEqual(rows[s]!.map((value) => 10 * value));
});

test("training calls see the batch as it is", () => {
  const x = wave([2, 4, 4, 3]);
  const y = squareSymmetries().apply(x, { training: true }) as tf.Tensor;
  expect(y.shape).toEqual(x.shape);
  expect(y.dataSync()).toEqual(x.dataSync());
});

/** One convolution between the two; its kernel has no symmetry of its own. */
function network(): tf.LayersModel {
  const input = tf.input({ shape: [null, null, 2] });
  let x = squareSymmetries().apply(input) as tf.SymbolicTensor;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 5 });
  x = tf.layers
    .conv2d({ filters: 3, kernelSize: 3, activation: "relu", kernelInitializer })
    .apply(x) as typeof x;
  x = tf.layers.globalAveragePooling2d({}).apply(x) as typeof x;
  x = averageViews().apply([x, input]) as typeof x;
  return tf.model({ inputs: input, outputs: x });
}

test("predictions do not change when the image is turned or mirrored; training outputs do", () => {
  const model = network();
  const x = wave([2, 7, 7, 2]);
  const turned = tf.reverse(tf.transpose(x, [0, 2, 1, 3]), 1);
  for (const other of [turned, tf.reverse(x, 2)]) {
    const predicted = (t: tf.Tensor) => (model.predict(t) as tf.Tensor).dataSync();
    expect(predicted(other)).toBeAllClose(predicted(x), { atol: 1e-6 });
    const trained = (t: tf.Tensor) => model.apply(t, { training: true }) as tf.Tensor;
    const change = tf.max(tf.abs(tf.sub(trained(other), trained(x)))).dataSync()[0]!;
    expect(change).toBeGreaterThan(1e-3);
  }
});

test("agrees with the mean of eight predictions of the network alone", () => {
  const model = network();
  const x = wave([2, 6, 6, 2]);
  const all = squareSymmetries().apply(x) as tf.Tensor;
  const one = model.apply(all, { training: true }) as tf.Tensor;
  const mean = tf.mean(tf.reshape(one, [2, 8, 3]), 1);
  expect((model.predict(x) as tf.Tensor).dataSync()).toBeAllClose(mean.dataSync(), { atol: 1e-6 });
});

test("gradients agree with finite differences", () => {
  const weights = wave([8, 3, 3, 2], 9);
  const { tape, difference } = gradients(
    (x) => {
      const turned = tf.mul(tf.square(squareSymmetries().apply(x) as tf.Tensor), weights);
      return averageViews().apply([tf.sum(turned, [1, 2]), x]) as tf.Tensor;
    },
    wave([1, 3, 3, 2], 4),
  );
  expect(tape).toBeAllClose(difference, { atol: 1e-3 });
});

test("survive saving, and leak nothing", async () => {
  const model = network();
  const x = wave([2, 6, 6, 2]);
  expect(await reloadError(model, x)).toBe(0);
  expect(leaked(20, () => (model.predict(x) as tf.Tensor).dispose())).toBe(0);
});

test("say what is wrong", () => {
  expect(() => squareSymmetries().apply(tf.ones([2, 4, 5, 3]))).toThrow(
    "squareSymmetries: expected an input shape [batch, size, size, channels] but got [2,4,5,3]",
  );
  expect(() => squareSymmetries().apply(tf.ones([2, 4, 4]))).toThrow("squareSymmetries: expected");
});
