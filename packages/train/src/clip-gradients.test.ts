import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import golden from "../test/fixtures/optimizers.json" with { type: "json" };
import { gradientAt } from "../test/golden.ts";
import { clipGradients } from "./clip-gradients.ts";
import { nesterov } from "./nesterov.ts";

const { norm, nesterov: steps } = golden.clipped;

test("agrees with PyTorch's clip_grad_norm_ over five steps, of which it clips two", () => {
  const optimizer = clipGradients(nesterov({ momentum: 0.9 }), norm);
  const matrix = tf.variable(tf.tensor2d(golden.weights[0]!, [2, 3]));
  const vector = tf.variable(tf.tensor1d(golden.weights[1]!));
  steps.forEach(([afterMatrix, afterVector], t) => {
    optimizer.apply([matrix, vector], [gradientAt([2, 3], t), gradientAt([3], t)], 0.05);
    expect(matrix.dataSync()).toBeAllClose(afterMatrix!);
    expect(vector.dataSync()).toBeAllClose(afterVector!);
  });
});

test("gradients within the norm pass to the bit, zeros and weights without one too; nothing leaks", () => {
  const [plain, clipped] = [nesterov(), clipGradients(nesterov(), 5)];
  const weights = [0, 1].map(() => [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(3))]);
  const step = (gradient: tf.Tensor) => {
    plain.apply(weights[0]!, [gradient, undefined], 0.1);
    clipped.apply(weights[1]!, [gradient, undefined], 0.1);
  };
  for (const values of [
    [0.1, -0.3],
    [0, 0],
    [3, -4],
  ])
    step(tf.tensor1d(values));
  for (const k of [0, 1]) expect(weights[1]![k]!.dataSync()).toEqual(weights[0]![k]!.dataSync());
  expect(weights[1]![1]!.dataSync()).toEqual(Float32Array.of(3));

  const gradient = tf.tensor1d([30, -40]);
  clipped.apply(weights[1]!, [gradient, undefined], 0.1);
  const { numTensors } = tf.memory();
  for (let i = 0; i < 10; i++) clipped.apply(weights[1]!, [gradient, undefined], 0.1);
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(gradient.dataSync()).toEqual(Float32Array.of(30, -40));
  clipped.apply(weights[1]!, [undefined, undefined], 0.1);
});

test("is the optimiser to everyone else", () => {
  const optimizer = nesterov();
  const clipped = clipGradients(optimizer, 1);
  expect(clipped.name).toBe("nesterov");
  clipped.apply([tf.variable(tf.scalar(1))], [tf.scalar(1)], 0.1);
  expect(clipped.state()["velocity/0"]).toBe(optimizer.state()["velocity/0"]);
  expect(() => clipGradients(optimizer, 0)).toThrow(
    new RangeError("clipGradients: expected a number above 0 for norm but got 0"),
  );
  expect(() => clipGradients(optimizer, Number.NaN)).toThrow("but got NaN");
});
