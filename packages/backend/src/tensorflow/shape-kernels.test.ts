import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNative } from "../../test/has-native.ts";
import { useBackend } from "../use-backend.ts";

describe.skipIf(!hasNative)("tf.reshape and tf.cast of the tensorflow backend", () => {
  beforeAll(() => useBackend({ prefer: "tensorflow", threads: 2 }));
  afterAll(() => tf.setBackend("cpu"));

  /** How many tensors' worth of data `work` makes. */
  const made = (work: () => unknown) => {
    const before = tf.memory().numDataBuffers;
    work();
    return tf.memory().numDataBuffers - before;
  };

  test("the same shape and the same type are the same data, which outlives either tensor", () => {
    for (const same of [
      (t: tf.Tensor) => tf.reshape(t, t.shape),
      (t: tf.Tensor) => tf.cast(t, t.dtype),
    ])
      for (const dtype of ["float32", "int32", "bool"] as const) {
        const first = tf.tensor2d([1, 0, 1, 1, 0, 0], [2, 3], dtype);
        let second!: tf.Tensor;
        expect(made(() => (second = same(first)))).toBe(0);
        first.dispose();
        expect(second).toMatchObject({ shape: [2, 3], dtype });
        expect([...second.dataSync()]).toEqual([1, 0, 1, 1, 0, 0]);
        expect(made(() => second.dispose())).toBe(-1);
      }
  });

  test("a variable that changes leaves what was made of it", () => {
    const variable = tf.variable(tf.tensor1d([1, 2]));
    const velocity = tf.variable(tf.tensor1d([0, 0]));
    const before = [tf.reshape(variable, [2]), tf.cast(variable, "float32")];
    const inputs = { variable, velocity, gradient: tf.tensor1d([1, 1]) };
    tf.engine().runKernel("GzNesterov", inputs, { learningRate: 0.5, momentum: 0 });
    expect([...variable.dataSync()]).toEqual([0.5, 1.5]);
    for (const tensor of before) expect([...tensor.dataSync()]).toEqual([1, 2]);
    tf.dispose([variable, velocity, before, inputs]);
  });

  test("any other shape holds the numbers in their order, any number of shapes", () => {
    const { numTensors } = tf.memory();
    const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 });
    fc.assert(
      fc.property(shape, fc.nat(), fc.constantFrom("float32", "int32"), (from, turn, dtype) => {
        const size = from.reduce((a, b) => a * b, 1);
        const values = Array.from({ length: size }, (_, i) => i - 3);
        const at = turn % (from.length + 1);
        const to = [...from.slice(at), 1, ...from.slice(0, at)];
        tf.tidy(() => {
          const reshaped = tf.tensor(values, from, dtype).reshape(to);
          expect(reshaped).toMatchObject({ shape: to, dtype });
          expect([...reshaped.dataSync()]).toEqual(values);
          if (size > 0) expect(reshaped.reshape([-1]).shape).toEqual([size]);
          // A further operation sees the new shape.
          expect(tf.add(reshaped, reshaped).shape).toEqual(to);
        });
      }),
      { numRuns: 400, seed: 1 },
    );
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test("gradients through either are those of the identity", () => {
    const x = tf.tensor2d([1, -2, 3, 4, 5, -6], [2, 3]);
    const weights = tf.tensor1d([1, 2, 3, 4, 5, 6]);
    const gradient = tf.grad((t) =>
      tf.sum(tf.mul(tf.cast(tf.reshape(tf.reshape(t, [2, 3]), [6]), "float32"), weights)),
    )(x);
    expect(gradient.shape).toEqual([2, 3]);
    expect([...gradient.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a wrong shape is TensorFlow's error", () => {
    expect(() => tf.tensor1d([1, 2, 3]).reshape([2, 2])).toThrow(/3 values|requested shape/);
  });
});
