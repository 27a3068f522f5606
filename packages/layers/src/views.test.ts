import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { gradients, leaked, reloadError, wave } from "../test/helpers.ts";
import { averageViews, flattenViews } from "./views.ts";

beforeAll(() => tf.setBackend("cpu"));

test("views lie side by side on the batch axis, image by image", () => {
  const x = tf.range(0, 2 * 3 * 2).reshape([2, 3, 2]);
  const y = flattenViews().apply(x) as tf.Tensor;
  expect(y.shape).toEqual([6, 2]);
  expect([...y.dataSync()]).toEqual([...x.dataSync()]);
});

test("their mean is that of each image's own views", () => {
  const x = tf.tensor2d([
    [1, 10],
    [3, 30],
    [5, 0],
    [7, 4],
  ]);
  const y = averageViews().apply([x, tf.zeros([2, 5, 5, 1])]) as tf.Tensor;
  expect(y.arraySync()).toEqual([
    [2, 20],
    [6, 2],
  ]);
});

/** Any number of views of any size through one convolution, a global mean, and a mean over the views. */
function network(): tf.LayersModel {
  const input = tf.input({ shape: [null, null, null, 1] });
  let x = flattenViews().apply(input) as tf.SymbolicTensor;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  x = tf.layers.conv2d({ filters: 3, kernelSize: 3, kernelInitializer }).apply(x) as typeof x;
  x = tf.layers.globalAveragePooling2d({}).apply(x) as typeof x;
  x = averageViews().apply([x, input]) as typeof x;
  return tf.model({ inputs: input, outputs: x });
}

test("a network takes any number of views, of any size, in any order", () => {
  const model = network();
  expect(model.outputShape).toEqual([null, 3]);
  for (const [views, size] of [
    [1, 6],
    [2, 5],
    [3, 8],
  ] as const) {
    const x = wave([4, views, size, size, 1]);
    const y = model.apply(x) as tf.Tensor;
    expect(y.shape).toEqual([4, 3]);
    expect((model.apply(tf.reverse(x, 1)) as tf.Tensor).dataSync()).toBeAllClose(y.dataSync(), {
      atol: 1e-6,
    });
  }
});

test("agree with finite differences", () => {
  const weights = wave([2, 4], 9);
  const { tape, difference } = gradients(
    (x) => {
      const rows = flattenViews().apply(x) as tf.Tensor;
      return tf.mul(averageViews().apply([tf.square(rows), x]) as tf.Tensor, weights);
    },
    wave([2, 3, 4], 4),
  );
  expect(tape).toBeAllClose(difference, { atol: 1e-3 });
});

test("survive saving, and leak nothing", async () => {
  const model = network();
  const x = wave([2, 2, 6, 6, 1]);
  expect(await reloadError(model, x)).toBe(0);
  expect(leaked(20, () => (model.apply(x) as tf.Tensor).dispose())).toBe(0);
});

test("say what is wrong", () => {
  expect(() => flattenViews().apply(tf.ones([2, 3]))).toThrow(
    "flattenViews: expected an input shape [batch, views, ...] but got [2,3]",
  );
  const wrong = (count: number) =>
    `averageViews: expected two inputs, [features, images], but got ${count}`;
  expect(() => averageViews().apply(tf.ones([2, 4]))).toThrow(wrong(1));
  expect(() => averageViews().apply(tf.input({ shape: [4] }))).toThrow(wrong(1));
  const three = [1, 2, 3].map(() => tf.ones([2, 4]));
  expect(() => averageViews().apply(three)).toThrow(wrong(3));
  expect(() => averageViews().apply([tf.ones([3, 4]), tf.ones([2, 1])])).toThrow(
    "averageViews: expected the same number of rows for each of 2 images but got 3",
  );
});
