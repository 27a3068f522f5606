import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { gradients, leaked, reloadError, wave } from "../test/helpers.ts";
import { localContrast } from "./local-contrast.ts";

interface Golden {
  localContrast: { shape: number[]; mean: number; deviation: number; bias: number; y: number[] }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../test/fixtures/scipy.json", import.meta.url), "utf8"),
) as Golden;

beforeAll(() => tf.setBackend("cpu"));

const run = (x: tf.Tensor, options: { mean: number; deviation: number; bias: number }) =>
  localContrast(options).apply(x) as tf.Tensor;

test.each(golden.localContrast)(
  "$shape under Gaussians of $mean and $deviation pixels is SciPy's",
  (one) => {
    const { shape, y, ...options } = one;
    const images = wave(shape, 0, 0.3, 0.4);
    expect(run(images, options).dataSync()).toBeAllClose(y, { rtol: 2e-5, atol: 2e-5 });
  },
);

const options = { mean: 1.5, deviation: 2, bias: 1e-3 };

test("views are normalised each by itself, as images are", () => {
  const images = wave([6, 5, 5, 3]);
  const views = run(tf.reshape(images, [2, 3, 5, 5, 3]), options);
  expect(views.shape).toEqual([2, 3, 5, 5, 3]);
  const each = tf.unstack(images).map((image) => run(tf.expandDims(image), options));
  expect(views.dataSync()).toBeAllClose(tf.concat(each).dataSync());
});

test("a flat image is 0, and light and contrast of the rest do not count where the bias is small", () => {
  expect(run(tf.fill([1, 6, 6, 2], 0.7), options).dataSync()).toBeAllClose(new Array(72).fill(0), {
    atol: 1e-5,
  });
  const image = wave([1, 12, 12, 1]);
  const small = { ...options, bias: 1e-9 };
  const changed = run(tf.add(tf.mul(image, 3), 5), small);
  expect(changed.dataSync()).toBeAllClose(run(image, small).dataSync(), { atol: 1e-3 });
});

test("stays exact where matMul rounds to ten bits, as TensorFlow's does on a GPU", () => {
  const image = tf.add(tf.mul(wave([1, 12, 12, 1]), 0.01), 0.7);
  const exact = run(image, options).dataSync();
  const { kernelFunc } = tf.getKernel("BatchMatMul", "cpu")!;
  const rounded = (x: tf.Tensor) => tf.tensor(Float32Array.from(x.dataSync(), toTenBits), x.shape);
  tf.unregisterKernel("BatchMatMul", "cpu");
  tf.registerKernel({
    kernelName: "BatchMatMul",
    backendName: "cpu",
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: tf.Tensor; b: tf.Tensor };
      return kernelFunc({ ...call, inputs: { a: rounded(a), b: rounded(b) } });
    },
  });
  try {
    expect(run(image, options).dataSync()).toBeAllClose(exact, { rtol: 0, atol: 2e-3 });
  } finally {
    tf.unregisterKernel("BatchMatMul", "cpu");
    tf.registerKernel({ kernelName: "BatchMatMul", backendName: "cpu", kernelFunc });
  }
});

function toTenBits(x: number): number {
  const step = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 10);
  return x === 0 ? 0 : Math.round(x / step) * step;
}

test("turned and mirrored images give the same, turned and mirrored", () => {
  const image = wave([1, 9, 9, 3]);
  const turned = (x: tf.Tensor) => tf.reverse(tf.transpose(x, [0, 2, 1, 3]), 1);
  expect(run(turned(image), options).dataSync()).toBeAllClose(
    turned(run(image, options)).dataSync(),
    { atol: 1e-5 },
  );
});

test("gradients agree with finite differences", () => {
  const { tape, difference } = gradients(
    (x) => run(x, { mean: 1.1, deviation: 1.4, bias: 0.2 }),
    wave([1, 5, 4, 2]),
  );
  expect(tape).toBeAllClose(difference, { rtol: 5e-3, atol: 5e-3 });
});

test("survives saving, has no weights, takes images of any size, and leaks nothing", async () => {
  const model = tf.sequential({
    layers: [localContrast({ ...options, inputShape: [null, null, 3] })],
  });
  expect(model.countParams()).toBe(0);
  expect(await reloadError(model, wave([2, 7, 6, 3]))).toBe(0);
  const x = wave([2, 4, 4, 3]);
  expect(leaked(20, () => (model.apply(x) as tf.Tensor).dispose())).toBe(0);
});

test("says what is wrong", () => {
  for (const name of ["mean", "deviation", "bias"])
    for (const value of [0, -1, Number.NaN, undefined as never])
      expect(() => localContrast({ ...options, [name]: value })).toThrow(
        `localContrast: expected a positive number for ${name} but got ${value}`,
      );
  expect(() => localContrast(options).apply(tf.zeros([4, 4, 3]))).toThrow(
    "localContrast: expected an input shape [batch, ..., rows, columns, channels] but got [4,4,3]",
  );
});
