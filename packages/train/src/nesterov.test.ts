import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import golden from "../test/fixtures/optimizers.json" with { type: "json" };
import { gradientAt, savedCopy } from "../test/golden.ts";
import { nesterov } from "./nesterov.ts";

test("two steps by hand: theta 1, lr 0.04, gradients 0.5 and 0.4", () => {
  const optimizer = nesterov({ momentum: 0.9 });
  const theta = tf.variable(tf.tensor1d([1]));
  optimizer.apply([theta], [tf.tensor1d([0.5])], 0.04);
  expect(theta.dataSync()).toBeAllClose([0.962]);
  expect((optimizer.state()["velocity/0"] as tf.Tensor).dataSync()).toBeAllClose([-0.02]);
  optimizer.apply([theta], [tf.tensor1d([0.4])], 0.04);
  expect(theta.dataSync()).toBeAllClose([0.9154]);
  expect((optimizer.state()["velocity/0"] as tf.Tensor).dataSync()).toBeAllClose([-0.034]);
});

test("agrees with PyTorch's SGD over five steps", () => {
  const optimizer = nesterov({ momentum: 0.9 });
  const matrix = tf.variable(tf.tensor2d(golden.weights[0]!, [2, 3]));
  const vector = tf.variable(tf.tensor1d(golden.weights[1]!));
  golden.nesterov.forEach(([afterMatrix, afterVector], t) => {
    optimizer.apply([matrix, vector], [gradientAt([2, 3], t), gradientAt([3], t)], 0.05);
    expect(matrix.dataSync()).toBeAllClose(afterMatrix!);
    expect(vector.dataSync()).toBeAllClose(afterVector!);
  });
});

test("keeps one velocity per weight and leaks nothing", () => {
  const optimizer = nesterov();
  const theta = tf.variable(tf.ones([4]));
  const g = tf.ones([4]);
  optimizer.apply([theta], [g], 0.1);
  const before = tf.memory();
  for (let i = 0; i < 20; i++) optimizer.apply([theta], [g], 0.1);
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(tf.memory().numBytes).toBe(before.numBytes);
  optimizer.dispose();
  expect(tf.memory().numTensors).toBe(before.numTensors - 1);
});

test("reset starts the velocity afresh; restore goes on where state was taken", () => {
  const run = (interrupt?: (optimizer: ReturnType<typeof nesterov>) => void) => {
    const optimizer = nesterov();
    const theta = tf.variable(tf.tensor1d([1, 2, 3]));
    for (let t = 0; t < 6; t++) {
      if (t === 3) interrupt?.(optimizer);
      optimizer.apply([theta], [gradientAt([3], t)], 0.05);
    }
    return theta.dataSync();
  };
  const restored = run((optimizer) => {
    const state = savedCopy(optimizer.state());
    optimizer.reset();
    expect(optimizer.state()).toEqual({});
    optimizer.restore(state);
  });
  expect(restored).toEqual(run());
  expect(run((optimizer) => optimizer.reset())).not.toEqual(run());
});

test("a weight without a gradient stays", () => {
  const [a, b] = [tf.variable(tf.tensor1d([1])), tf.variable(tf.tensor1d([2]))];
  nesterov().apply([a, b], [undefined, tf.tensor1d([1])], 0.5);
  expect(a.dataSync()).toBeAllClose([1]);
  expect(b.dataSync()).toBeAllClose([2 - 0.95]);
});

test("uses the fused kernel of a backend that has one", () => {
  tf.registerKernel({
    kernelName: "GzNesterov",
    backendName: "cpu",
    kernelFunc: ({ inputs, attrs }) => {
      const { variable, velocity, gradient } = inputs as Record<string, tf.Variable>;
      const { learningRate, momentum } = attrs as unknown as Record<string, number>;
      const [w, v, g] = [variable!.dataSync(), velocity!.dataSync(), gradient!.dataSync()];
      for (let i = 0; i < w.length; i++) {
        v[i] = momentum! * v[i]! - learningRate! * g[i]!;
        w[i] = w[i]! + momentum! * v[i]! - learningRate! * g[i]!;
      }
      return [];
    },
  });
  try {
    const optimizer = nesterov();
    const theta = tf.variable(tf.tensor1d(Float32Array.of(1)));
    const { dataId } = theta;
    optimizer.apply([theta], [tf.tensor1d([0.5])], 0.04);
    optimizer.apply([theta], [tf.tensor1d([0.4])], 0.04);
    expect(theta.dataId).toBe(dataId); // changed in place, not assigned
    expect(theta.dataSync()).toBeAllClose([0.9154]);
  } finally {
    tf.unregisterKernel("GzNesterov", "cpu");
  }
});

test("says what is wrong with its arguments", () => {
  expect(() => nesterov({ momentum: 1 })).toThrow(
    "nesterov: expected a number in [0, 1) for momentum but got 1",
  );
  const optimizer = nesterov();
  const theta = tf.variable(tf.ones([2]), true, "theta-of-two");
  optimizer.apply([theta], [tf.ones([2])], 0.1);
  expect(() => optimizer.apply([theta, theta], [], 0.1)).toThrow(
    "nesterov: expected the 1 weights of the earlier steps but got 2; reset() starts afresh",
  );
  const other = tf.variable(tf.ones([3]), true, "theta-of-three");
  expect(() => optimizer.apply([other], [], 0.1)).toThrow(
    "nesterov: expected shape [2] for weight 0 (theta-of-three), as in the earlier steps, but got [3]; reset() starts afresh",
  );
  expect(() =>
    optimizer.restore({ "m/0": { dtype: "float32", shape: [], data: new Float32Array(1) } }),
  ).toThrow(
    "nesterov: expected velocity of each weight in the saved state but velocity/0 is missing",
  );
});
