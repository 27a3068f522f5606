import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import golden from "../test/fixtures/optimizers.json" with { type: "json" };
import { gradientAt, savedCopy } from "../test/golden.ts";
import { adamw } from "./adamw.ts";

const OPTIONS = { beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1 };

test("agrees with PyTorch's AdamW over five steps; the vector does not decay", () => {
  const optimizer = adamw(OPTIONS);
  const matrix = tf.variable(tf.tensor2d(golden.weights[0]!, [2, 3]));
  const vector = tf.variable(tf.tensor1d(golden.weights[1]!));
  golden.adamw.forEach(([afterMatrix, afterVector], t) => {
    optimizer.apply([matrix, vector], [gradientAt([2, 3], t), gradientAt([3], t)], 0.02);
    expect(matrix.dataSync()).toBeAllClose(afterMatrix!);
    expect(vector.dataSync()).toBeAllClose(afterVector!);
  });
});

test("the first step by hand: the learning rate against the gradient's sign", () => {
  const theta = tf.variable(tf.tensor1d([1, 1]));
  adamw({ epsilon: 0 }).apply([theta], [tf.tensor1d([3, -0.001])], 0.1);
  expect(theta.dataSync()).toBeAllClose([0.9, 1.1], { atol: 1e-5 });
});

test("decay alone shrinks a matrix by lr * weightDecay", () => {
  const theta = tf.variable(tf.ones([1, 2]));
  adamw({ weightDecay: 0.5 }).apply([theta], [tf.zeros([1, 2])], 0.1);
  expect(theta.dataSync()).toBeAllClose([0.95, 0.95]);
});

test("biases of any shape are spared, unless the caller says otherwise", () => {
  const after = (name: string, options: Parameters<typeof adamw>[0] = {}) => {
    const theta = tf.variable(tf.ones([2, 2, 1]), true, name);
    adamw({ weightDecay: 0.5, ...options }).apply([theta], [tf.zeros([2, 2, 1])], 0.1);
    const [value] = theta.dataSync();
    theta.dispose();
    return value;
  };
  for (const name of ["conv1/bias", "conv1/bias_3", "bias"]) expect(after(name)).toBe(1);
  for (const name of ["conv1/kernel_2", "unbiased", "bias/kernel"])
    expect(after(name)).toBeCloseTo(0.95, 6);
  expect(after("conv2/bias", { decays: () => true })).toBeCloseTo(0.95, 6);
  expect(after("conv2/kernel", { decays: ({ name }) => !name.endsWith("kernel") })).toBe(1);
});

test("reset forgets the step too; restore goes on where state was taken; nothing leaks", () => {
  const run = (interrupt?: (optimizer: ReturnType<typeof adamw>) => void) => {
    const optimizer = adamw(OPTIONS);
    const theta = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2, 3]])));
    for (let t = 0; t < 6; t++) {
      if (t === 3) interrupt?.(optimizer);
      tf.tidy(() => optimizer.apply([theta], [gradientAt([1, 3], t)], 0.05));
    }
    const values = theta.dataSync();
    optimizer.dispose();
    theta.dispose();
    return values;
  };
  const tensors = tf.memory().numTensors;
  const restored = run((optimizer) => {
    const state = savedCopy(optimizer.state());
    optimizer.reset();
    expect(optimizer.state()).toEqual({ step: 0 });
    optimizer.restore(state);
  });
  expect(restored).toEqual(run());
  expect(run((optimizer) => optimizer.reset())).not.toEqual(run());
  expect(tf.memory().numTensors).toBe(tensors);
});

test("hands the fused kernel everything it needs", () => {
  const seen: unknown[] = [];
  tf.registerKernel({
    kernelName: "GzAdamW",
    backendName: "cpu",
    kernelFunc: ({ inputs, attrs }) => {
      seen.push({ names: Object.keys(inputs), ...attrs });
      return [];
    },
  });
  try {
    const optimizer = adamw(OPTIONS);
    const weights = [tf.variable(tf.ones([2, 2])), tf.variable(tf.ones([2]))];
    optimizer.apply(weights, [tf.ones([2, 2]), undefined], 0.02);
    optimizer.apply(weights, [undefined, tf.ones([2])], 0.01);
  } finally {
    tf.unregisterKernel("GzAdamW", "cpu");
  }
  const names = ["variable", "m", "v", "gradient"];
  expect(seen).toEqual([
    { names, ...OPTIONS, learningRate: 0.02, step: 1 },
    { names, ...OPTIONS, learningRate: 0.01, step: 2, weightDecay: 0 },
  ]);
});

test("says what is wrong with its arguments", () => {
  expect(() => adamw({ beta1: -0.1 })).toThrow(
    "adamw: expected a number in [0, 1) for beta1 but got -0.1",
  );
  expect(() => adamw({ beta2: 1 })).toThrow(
    "adamw: expected a number in [0, 1) for beta2 but got 1",
  );
  expect(() => adamw({ epsilon: NaN })).toThrow(
    "adamw: expected a finite number of at least 0 for epsilon but got NaN",
  );
  expect(() => adamw({ weightDecay: Infinity })).toThrow(
    "adamw: expected a finite number of at least 0 for weightDecay but got Infinity",
  );
  expect(() => adamw().restore({})).toThrow(
    "adamw: expected step in the saved state but it is missing",
  );
});
