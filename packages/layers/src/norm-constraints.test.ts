import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { leaked, wave } from "../test/helpers.ts";
import { applyConstraints, l2Norm, rmsNorm } from "./norm-constraints.ts";

beforeAll(() => tf.setBackend("cpu"));

const COLUMNS = tf.tensor2d([
  [3, 0.3, 0, -6],
  [4, 0.4, 0, 8],
]); // Euclidean norms 5, 0.5, 0, 10

test("l2Norm shrinks the columns that are too long, in their direction", () => {
  expect(l2Norm({ max: 1 })(COLUMNS).dataSync()).toBeAllClose([
    0.6, 0.3, 0, -0.6, 0.8, 0.4, 0, 0.8,
  ]);
});

test("rmsNorm compares the root mean square", () => {
  const root2 = Math.SQRT2;
  const expected = [0.6 * root2, 0.3, 0, -0.6 * root2, 0.8 * root2, 0.4, 0, 0.8 * root2];
  expect(rmsNorm({ max: 1 })(COLUMNS).dataSync()).toBeAllClose(expected);
});

test("a convolution's filter counts as one", () => {
  const limited = l2Norm({ max: 0.5 })(wave([3, 3, 4, 5]));
  expect(tf.sqrt(tf.sum(tf.square(limited), [0, 1, 2])).dataSync()).toBeAllClose(
    new Array(5).fill(0.5),
  );
});

test("applies to the kernels of the layers named, in place, also in nested models", () => {
  const inner = tf.sequential({
    layers: [tf.layers.dense({ units: 4, inputShape: [2], name: "first" })],
  });
  const model = tf.sequential({ layers: [inner, tf.layers.dense({ units: 3, name: "second" })] });
  const bias = tf.fill([4], 7);
  inner.setWeights([COLUMNS, bias]);
  const before = model.layers[1]!.getWeights()[0]!.dataSync();
  applyConstraints(model, { first: l2Norm({ max: 1 }) });
  expect(inner.getWeights()[0]!.dataSync()).toBeAllClose([0.6, 0.3, 0, -0.6, 0.8, 0.4, 0, 0.8]);
  expect(inner.getWeights()[1]!.dataSync()).toEqual(bias.dataSync());
  expect(model.layers[1]!.getWeights()[0]!.dataSync()).toEqual(before);
  expect(
    leaked(50, () =>
      applyConstraints(model, { first: rmsNorm({ max: 0.1 }), second: l2Norm({ max: 1 }) }),
    ),
  ).toBe(0);
});

test("layers of one name, frozen ones and both halves of a bidirectional layer are limited", () => {
  const dense = () =>
    tf.layers.dense({ units: 1, inputShape: [1], name: "a", kernelInitializer: "ones" });
  const nested = () => tf.sequential({ layers: [dense()] });
  const model = tf.sequential({ layers: [nested(), nested()] });
  model.layers[0]!.trainable = false;
  applyConstraints(model, { a: l2Norm({ max: 0.1 }) });
  for (const weights of model.layers.map((layer) => layer.getWeights()[0]!))
    expect(weights.dataSync()).toBeAllClose([0.1]);

  const both = tf.sequential({
    layers: [
      tf.layers.bidirectional({
        layer: tf.layers.simpleRNN({ units: 2, name: "r", kernelInitializer: "ones" }),
        mergeMode: "concat",
        inputShape: [3, 4],
      }),
    ],
  });
  applyConstraints(both, { forward_r: l2Norm({ max: 0.5 }), backward_r: l2Norm({ max: 0.5 }) });
  const kernels = both.layers[0]!.getWeights().filter(({ shape }) => shape[0] === 4);
  expect(kernels).toHaveLength(2);
  for (const kernel of kernels) expect(kernel.dataSync()).toBeAllClose(new Array(8).fill(0.25));
});

test("keeps a model within its limit while it trains", async () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 2, inputShape: [3], name: "only" })],
  });
  model.compile({ optimizer: tf.train.sgd(1), loss: "meanSquaredError" });
  for (let step = 0; step < 5; step++) {
    await model.trainOnBatch(wave([8, 3], 0, 1, 2), tf.fill([8, 2], 50));
    applyConstraints(model, { only: rmsNorm({ max: 0.4 }) });
  }
  const rms = tf.sqrt(tf.mean(tf.square(model.getWeights()[0]!), 0)).dataSync();
  expect(rms).toBeAllClose([0.4, 0.4]);
});

test("says what is wrong", () => {
  expect(() => rmsNorm({ max: 0 })).toThrow(
    "rmsNorm: expected a positive number for max but got 0",
  );
  expect(() => l2Norm({ max: Number.NaN })).toThrow(
    "l2Norm: expected a positive number for max but got NaN",
  );
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 2, inputShape: [3], name: "a" }),
      tf.layers.activation({ activation: "relu", name: "b" }),
    ],
  });
  for (const name of ["b", "c"])
    expect(() => applyConstraints(model, { [name]: l2Norm({ max: 1 }) })).toThrow(
      `applyConstraints: expected the name of a layer with a kernel but got "${name}"; the model has a, b`,
    );
  const depthwise = tf.sequential({
    layers: [
      tf.layers.depthwiseConv2d({ kernelSize: 2, inputShape: [4, 4, 3], name: "d" }),
      tf.layers.conv2dTranspose({ kernelSize: 2, filters: 2, name: "t" }),
    ],
  });
  for (const [name, type] of [
    ["d", "DepthwiseConv2D"],
    ["t", "Conv2DTranspose"],
  ] as const)
    expect(() => applyConstraints(depthwise, { [name]: l2Norm({ max: 1 }) })).toThrow(
      `applyConstraints: expected a layer with units along its kernel's last axis but got "${name}", a ${type}`,
    );
});
