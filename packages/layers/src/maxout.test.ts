import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { gradients, leaked, reloadError, wave } from "../test/helpers.ts";
import { maxout } from "./maxout.ts";

beforeAll(() => tf.setBackend("cpu"));

test("takes the largest of adjacent groups", () => {
  const x = tf.tensor2d([
    [1, 5, -3, -2, 0, 0],
    [9, 8, 7, 6, 5, 4],
  ]);
  expect([...(maxout({ pieces: 2 }).apply(x) as tf.Tensor).dataSync()]).toEqual([
    5, -2, 0, 9, 7, 5,
  ]);
  expect([...(maxout({ pieces: 3 }).apply(x) as tf.Tensor).dataSync()]).toEqual([5, 0, 9, 6]);
});

test("works on the channels of images", () => {
  const x = wave([2, 3, 3, 8]);
  const y = maxout({ pieces: 4 }).apply(x) as tf.Tensor;
  expect(y.shape).toEqual([2, 3, 3, 2]);
  const values = x.dataSync();
  const expected = Array.from({ length: y.size }, (_, i) =>
    Math.max(...values.slice(4 * i, 4 * i + 4)),
  );
  expect([...y.dataSync()]).toEqual(expected);
});

test("sends the gradient to the winner, and shares it between equals", () => {
  const layer = maxout({ pieces: 3 });
  const g = tf.grad((x) => tf.mul(layer.apply(x) as tf.Tensor, tf.tensor1d([6, 1, 3])))(
    tf.tensor2d([[1, 2, 0, 4, 4, -1, 7, 7, 7]]),
  );
  expect([...g.dataSync()]).toEqual([0, 6, 0, 0.5, 0.5, 0, 1, 1, 1]);
});

test("agrees with finite differences", () => {
  const layer = maxout({ pieces: 2 });
  const { tape, difference } = gradients(
    (x) => layer.apply(x) as tf.Tensor,
    wave([3, 10], 4),
    1e-3,
  );
  expect(tape).toBeAllClose(difference, { atol: 1e-3 });
});

test("survives saving, and leaks nothing", async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 12, inputShape: [5] }),
      maxout({ pieces: 3, name: "competition" }),
    ],
  });
  expect(model.outputShape).toEqual([null, 4]);
  expect(await reloadError(model, wave([4, 5]))).toBe(0);
  const x = wave([2, 5]);
  expect(
    leaked(50, () =>
      tf
        .grad((t) => model.apply(t) as tf.Tensor)(x)
        .dispose(),
    ),
  ).toBe(0);
});

test("says what is wrong", () => {
  expect(() => maxout({ pieces: 1 })).toThrow(
    "maxout: expected an integer of at least 2 for pieces but got 1",
  );
  expect(() => maxout({ pieces: 3 }).apply(tf.ones([1, 4]))).toThrow(
    "maxout: expected a last axis that is a multiple of 3 pieces but got 4",
  );
  expect(() => maxout({ pieces: 2 }).computeOutputShape([null, null])).toThrow(
    "maxout: expected an input shape with a batch axis and a known last axis but got [null,null]",
  );
  expect(() => maxout({ pieces: 2 }).apply([tf.ones([1, 4]), tf.ones([1, 4])])).toThrow(
    "maxout: expected one input tensor but got 2",
  );
});
