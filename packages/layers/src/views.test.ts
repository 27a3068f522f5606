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
  const y = averageViews({ views: 2 }).apply(x) as tf.Tensor;
  expect(y.arraySync()).toEqual([
    [2, 20],
    [6, 2],
  ]);
});

/** Two views of any size through one convolution, a global mean, and a mean over the views. */
function network(): tf.LayersModel {
  const input = tf.input({ shape: [2, null, null, 1] });
  let x = flattenViews().apply(input) as tf.SymbolicTensor;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  x = tf.layers.conv2d({ filters: 3, kernelSize: 3, kernelInitializer }).apply(x) as typeof x;
  x = tf.layers.globalAveragePooling2d({}).apply(x) as typeof x;
  x = averageViews({ views: 2 }).apply(x) as typeof x;
  return tf.model({ inputs: input, outputs: x });
}

test("a network takes views of any size, in any order", () => {
  const model = network();
  expect(model.outputShape).toEqual([null, 3]);
  for (const size of [5, 8]) {
    const x = wave([4, 2, size, size, 1]);
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
      return tf.mul(averageViews({ views: 3 }).apply(tf.square(rows)) as tf.Tensor, weights);
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
  expect(() => flattenViews().computeOutputShape([null, null, 4])).toThrow(
    "flattenViews: expected an input shape [batch, views, ...] with known views but got [null,null,4]",
  );
  expect(() => flattenViews().apply(tf.ones([2, 3]))).toThrow("flattenViews: expected an input");
  expect(() => averageViews({ views: 0 })).toThrow(
    "averageViews: expected an integer of at least 1 for views but got 0",
  );
  expect(() => averageViews({ views: 2 }).apply(tf.ones([3, 4]))).toThrow(
    "averageViews: expected a multiple of 2 views on the batch axis but got 3",
  );
});
