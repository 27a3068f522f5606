// Every kernel against tfjs's own cpu backend doing the same by composed operations, and by finite differences.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNative } from "../../test/has-native.ts";
import { useBackend } from "../use-backend.ts";
import { nodeBackend } from "./node-backend.ts";
import { registerBatchNorm } from "./register.ts";
import { adamw, ownAdamw } from "./update-kernels.ts";

type Shape = [number, number, number, number];
type Outputs = Record<string, Float32Array>;

/** Runs `work` on a backend and returns the values of the tensors it names. */
async function on(backend: string, work: () => Record<string, tf.Tensor>): Promise<Outputs> {
  await tf.setBackend(backend);
  const tensors = tf.tidy(work);
  const values = Object.entries(tensors).map(([name, t]) => [name, t.dataSync() as Float32Array]);
  tf.dispose(tensors);
  return Object.fromEntries(values);
}

/** Normal numbers that are the same on every backend. */
function normal(shape: number[], seed: number): tf.Tensor {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    const u = fraction(Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453);
    const v = fraction(Math.sin((i + 1) * 39.425 + seed * 11.135) * 24634.6345);
    return Math.sqrt(-2 * Math.log(u + 1e-9)) * Math.cos(2 * Math.PI * v);
  });
  return tf.tensor(values, shape);
}
const fraction = (x: number) => x - Math.floor(x);

/** Central differences of `f` by each element of `t`. */
function slopes(t: tf.Tensor, f: (t: tf.Tensor) => number, h = 1e-2): number[] {
  const values = t.dataSync();
  const at = (i: number, h: number) => {
    const moved = values.slice();
    moved[i]! += h;
    return f(tf.tensor(moved, t.shape));
  };
  return Array.from(values, (_, i) => (at(i, h) - at(i, -h)) / (2 * h));
}

const run = (name: string, inputs: Record<string, tf.Tensor>, attrs: Record<string, number> = {}) =>
  tf.engine().runKernel(name, inputs, attrs) as unknown as tf.Tensor[];

describe.skipIf(!hasNative)("kernels of the tensorflow backend", () => {
  beforeAll(() => useBackend({ prefer: "tensorflow", threads: 2 }));
  afterAll(() => tf.setBackend("cpu"));

  test("Relu's gradient is GzReluGrad, also of a gradient, and keeps tfjs's values", async () => {
    const work = () => {
      const x = tf.concat([normal([50], 1), tf.tensor1d([0, -0, 1e-30, -1e-30])]);
      const square = (t: tf.Tensor) => tf.sum(tf.square(tf.relu(t)));
      const first = tf.grad(square)(x);
      const second = tf.grad((t) => tf.sum(tf.square(tf.grad(square)(t))))(x);
      return { first, second };
    };
    const cpu = await on("cpu", work);
    const native = await on("tensorflow", work);
    expect(native.first).toBeAllClose(cpu.first!, { atol: 0, rtol: 0 });
    expect(native.second).toBeAllClose(cpu.second!, { atol: 0, rtol: 1e-6 });
    const used = tf.profile(() => tf.grad((t) => tf.relu(t))(tf.tensor1d([-1, 2])));
    expect((await used).kernelNames).toContain("GzReluGrad");
  });

  const [epsilon, momentum] = [1e-3, 0.7];
  const moving = (channels: number) => ({
    movingMean: normal([channels], 5),
    movingVariance: normal([channels], 6),
  });
  function fusedNorm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, dy: tf.Tensor) {
    const inputs = { x, scale, offset, ...moving(scale.size) };
    const [y, mean, variance, ...rest] = run("GzBatchNorm", inputs, { epsilon, momentum });
    const saved = Object.fromEntries(rest.map((tensor, i) => [`saved${i + 1}`, tensor]));
    const [dx, dscale, doffset] = run("GzBatchNormGrad", { dy, x, scale, ...saved }, { epsilon });
    return { y, mean, variance, dx, dscale, doffset } as Record<string, tf.Tensor>;
  }

  /** The addon's operations, and TensorFlow's own, which GPUs get. */
  const norms = { "the addon's": true, "TensorFlow's": false };
  const shapes: [string, Shape][] = [
    ["images", [4, 5, 6, 7]],
    ["more rows than a block", [3, 31, 17, 5]],
    ["vectors", [32, 1, 1, 16]],
    ["one example of one pixel", [1, 1, 1, 3]],
  ];
  for (const [whose, own] of Object.entries(norms))
    test.each(shapes)(
      `${whose} batch normalisation of %s equals the composed one`,
      async (_, shape) => {
        const channels = shape[3];
        const inputs = () => ({
          x: tf.add(tf.mul(normal(shape, 1), 2), 3) as tf.Tensor4D,
          scale: normal([channels], 2) as tf.Tensor1D,
          offset: normal([channels], 3) as tf.Tensor1D,
          dy: normal(shape, 4),
        });
        const cpu = await on("cpu", () => {
          const { x, scale, offset, dy } = inputs();
          const norm = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
            const mean = tf.mean(x, [0, 1, 2], true);
            const variance = tf.mean(tf.square(tf.sub(x, mean)), [0, 1, 2], true);
            const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
            return tf.add(tf.mul(normal, scale), offset);
          };
          const [dx, dscale, doffset] = tf.grads(norm)([x, scale, offset], dy) as [
            tf.Tensor,
            tf.Tensor,
            tf.Tensor,
          ];
          const { mean, variance } = tf.moments(x, [0, 1, 2]);
          const n = x.size / channels;
          const { movingMean, movingVariance } = moving(channels);
          const blend = (old: tf.Tensor, batch: tf.Tensor) =>
            tf.add(tf.mul(old, momentum), tf.mul(batch, 1 - momentum));
          return {
            y: norm(x, scale, offset),
            mean: blend(movingMean, mean),
            variance: blend(movingVariance, tf.mul(variance, n / Math.max(n - 1, 1))),
            dx,
            dscale,
            doffset,
          };
        });
        registerBatchNorm(own);
        const native = await on("tensorflow", () => {
          const { x, scale, offset, dy } = inputs();
          return fusedNorm(x, scale, offset, dy);
        });
        for (const name of Object.keys(cpu))
          expect(native[name], name).toBeAllClose(cpu[name]!, {
            rtol: 1e-4,
            atol: own ? 2e-5 : 2e-4,
          });
      },
    );

  test("batch normalisation keeps its digits when the mean is far from 0", async () => {
    registerBatchNorm(true);
    const values = (shift: number) =>
      on("tensorflow", () => {
        const x = tf.add(normal([64, 4, 4, 2], 1), shift);
        const { y } = fusedNorm(x, tf.ones([2]), tf.zeros([2]), x);
        return { y: y! };
      });
    const [near, far] = [await values(0), await values(1000)];
    expect(far.y).toBeAllClose(near.y!, { atol: 1e-3 }); // float32 has steps of 6e-5 at 1000
  });

  test("batch normalisation gives NaN where NaN came in, in that channel alone", async () => {
    registerBatchNorm(true);
    const { y } = await on("tensorflow", () => {
      const x = tf.tensor4d([1, NaN, 3, 4, 5, 7], [3, 1, 1, 2]);
      const { y } = fusedNorm(x, tf.ones([2]), tf.zeros([2]), x);
      return { y: y! };
    });
    expect([...y!].map(Number.isNaN)).toEqual([false, true, false, true, false, true]);
  });

  test("batch normalisation of nothing leaves the moving statistics as they were", async () => {
    registerBatchNorm(true);
    for (const channels of [3, 0]) {
      const { mean, variance, dscale, doffset, ...was } = await on("tensorflow", () => {
        const x = tf.zeros([0, 2, 2, channels]);
        return {
          ...fusedNorm(x, tf.ones([channels]), tf.ones([channels]), x),
          ...moving(channels),
        };
      });
      expect([mean, variance]).toEqual([was.movingMean, was.movingVariance]);
      const zeros = new Float32Array(channels);
      expect([dscale, doffset]).toEqual([zeros, zeros]);
    }
  });

  test("kernels refuse tensors of another shape or type", async () => {
    await tf.setBackend("tensorflow");
    const of = (...shape: number[]) => tf.variable(tf.ones(shape));
    const norm = {
      x: of(2, 3),
      scale: of(3),
      offset: of(3),
      movingMean: of(3),
      movingVariance: of(3),
    };
    const update = { variable: of(3), m: of(1), v: of(1), gradient: of(3) };
    const attrs = { learningRate: 1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0, step: 1 };
    const velocity = tf.variable(tf.ones([3], "int32"));
    expect(() => run("GzNesterov", { variable: of(3), velocity, gradient: of(3) })).toThrow(
      "GzNesterov: expected float32 [3] for velocity but got int32 [3]",
    );
    expect(() => run("GzAdamW", update, attrs)).toThrow(
      "GzAdamW: expected float32 [3] for m but got float32 [1]",
    );
    expect(() => run("GzAdamWAll", {}, { ...attrs, updates: [update] as never })).toThrow(
      "GzAdamW: expected float32 [3] for m but got float32 [1]",
    );
    expect(() => run("GzMovingAverage", { average: of(3), value: of(1) })).toThrow(
      "GzMovingAverage: expected float32 [3] for value but got float32 [1]",
    );
    expect(() => run("GzReluGrad", { dy: of(3), y: of(1) })).toThrow(
      "GzReluGrad: expected float32 [3] for y but got float32 [1]",
    );
    for (const own of [true, false]) {
      registerBatchNorm(own);
      expect(() => run("GzBatchNorm", { ...norm, scale: of(5) })).toThrow(
        "GzBatchNorm: expected float32 [3] for scale but got float32 [5]",
      );
      expect(() =>
        run("GzBatchNormGrad", {
          dy: of(1, 3),
          x: of(2, 3),
          scale: of(3),
          saved1: of(3),
          saved2: of(3),
        }),
      ).toThrow("GzBatchNormGrad: expected float32 [2, 3] for dy but got float32 [1, 3]");
    }
  });

  test("batch normalisation's gradient agrees with finite differences", async () => {
    const shape: Shape = [2, 3, 2, 2];
    await tf.setBackend("tensorflow");
    tf.tidy(() => {
      const [x, scale, offset, dy] = [
        normal(shape, 1),
        normal([2], 2),
        normal([2], 3),
        normal(shape, 4),
      ];
      const { dx, dscale } = fusedNorm(x, scale, offset, dy);
      const loss = (x: tf.Tensor, scale: tf.Tensor) =>
        tf.sum(tf.mul(fusedNorm(x, scale, offset, dy).y!, dy)).dataSync()[0]!;
      // Central differences of float32 sums: the error is h^2 / 6 f''' plus 1e-6 / h.
      expect(dx!.dataSync()).toBeAllClose(
        slopes(x, (t) => loss(t, scale)),
        { rtol: 2e-3, atol: 2e-3 },
      );
      expect(dscale!.dataSync()).toBeAllClose(
        slopes(scale, (t) => loss(x, t)),
        { rtol: 2e-3, atol: 2e-3 },
      );
    });
  });

  // Filter, stride, padding, input.
  const pools: [[number, number], [number, number], "valid" | "same", Shape][] = [
    [[2, 2], [2, 2], "valid", [3, 6, 8, 5]],
    [[2, 2], [2, 2], "same", [2, 5, 7, 3]],
    [[3, 3], [2, 2], "same", [2, 7, 8, 4]],
    [[3, 2], [1, 2], "valid", [1, 6, 7, 33]],
  ];
  test.each(pools)(
    "max pooling's gradient, filter %j stride %j %s",
    async (filter, stride, pad, shape) => {
      const work = () => {
        const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, filter, stride, pad);
        const x = normal(shape, 1);
        return { dx: tf.grad(pool)(x, normal(pool(x).shape, 2)) };
      };
      const cpu = await on("cpu", work);
      const native = await on("tensorflow", work);
      expect(native.dx).toBeAllClose(cpu.dx!, { atol: 1e-6, rtol: 1e-6 });
    },
  );

  test("max pooling's gradient goes to the first of equal elements, as TensorFlow's own does", async () => {
    const { dx } = await on("tensorflow", () => {
      const x = tf.tensor4d([7, 7, 7, 1, 0, 5, 5, 5], [1, 2, 4, 1]);
      return {
        dx: tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"))(
          x,
          tf.tensor4d([3, 4], [1, 1, 2, 1]),
        ),
      };
    });
    expect([...dx!]).toEqual([3, 0, 4, 0, 0, 0, 0, 0]);
  });

  test("max pooling's gradient agrees with finite differences", async () => {
    await tf.setBackend("tensorflow");
    tf.tidy(() => {
      const loss = (x: tf.Tensor) => tf.sum(tf.square(tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")));
      const x = normal([1, 4, 4, 2], 5);
      const expected = slopes(x, (x) => loss(x).dataSync()[0]!);
      expect(tf.grad(loss)(x).dataSync()).toBeAllClose(expected, { rtol: 1e-3, atol: 1e-3 });
    });
  });

  /** `steps` of one update kernel from the same start; returns its variables' values. */
  function train(kernel: string, names: string[], attrs: (step: number) => Record<string, number>) {
    const variables = [normal([4, 3], 1), ...names.slice(1).map(() => tf.zeros([4, 3]))].map((t) =>
      tf.variable(t),
    );
    const inputs = Object.fromEntries(names.map((name, i) => [name, variables[i]!]));
    for (let step = 1; step <= 5; step++)
      run(kernel, { ...inputs, gradient: normal([4, 3], 10 + step) }, attrs(step));
    const values = names.map((name, i) => [name, variables[i]!.clone()]);
    for (const variable of variables) variable.dispose();
    return Object.fromEntries(values);
  }

  test("GzNesterov is the formula", async () => {
    const attrs = { learningRate: 0.1, momentum: 0.9 };
    const native = await on("tensorflow", () =>
      train("GzNesterov", ["variable", "velocity"], () => attrs),
    );
    const cpu = await on("cpu", () => {
      let theta = normal([4, 3], 1);
      let velocity: tf.Tensor = tf.zeros([4, 3]);
      for (let step = 1; step <= 5; step++) {
        const push = tf.mul(normal([4, 3], 10 + step), 0.1);
        velocity = tf.sub(tf.mul(velocity, 0.9), push);
        theta = tf.add(theta, tf.sub(tf.mul(velocity, 0.9), push));
      }
      return { variable: theta, velocity };
    });
    expect(native.variable).toBeAllClose(cpu.variable!, { rtol: 1e-5, atol: 1e-6 });
    expect(native.velocity).toBeAllClose(cpu.velocity!, { rtol: 1e-5, atol: 1e-6 });
  });

  test.each([0, 0.05])("GzAdamW is PyTorch's formula with weight decay %d", async (weightDecay) => {
    // An epsilon that matters beside sqrt(v), so that its place in the formula is tested.
    const attrs = { learningRate: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 0.1, weightDecay };
    const native = await on("tensorflow", () =>
      train("GzAdamW", ["variable", "m", "v"], (step) => ({ ...attrs, step })),
    );
    const cpu = await on("cpu", () => {
      let theta = normal([4, 3], 1);
      let m: tf.Tensor = tf.zeros([4, 3]);
      let v: tf.Tensor = tf.zeros([4, 3]);
      for (let step = 1; step <= 5; step++) {
        const g = normal([4, 3], 10 + step);
        theta = tf.mul(theta, 1 - 0.1 * weightDecay);
        m = tf.add(tf.mul(m, 0.8), tf.mul(g, 0.2));
        v = tf.add(tf.mul(v, 0.99), tf.mul(tf.square(g), 0.01));
        const root = tf.add(tf.sqrt(tf.div(v, 1 - 0.99 ** step)), 0.1);
        theta = tf.sub(theta, tf.mul(tf.div(tf.div(m, 1 - 0.8 ** step), root), 0.1));
      }
      return { variable: theta, m, v };
    });
    for (const name of ["variable", "m", "v"])
      expect(native[name], name).toBeAllClose(cpu[name]!, { rtol: 2e-5, atol: 2e-6 });
  });

  test("the addon's AdamW and TensorFlow's agree, on weights of one chunk and of more", async () => {
    const attrs = { learningRate: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.05 };
    for (const size of [1, 13, 100_003]) {
      const values = (kernel: typeof adamw) =>
        on("tensorflow", () => {
          const [variable, m, v] = [1, 2, 3].map((seed) =>
            tf.variable(tf.abs(normal([size], seed))),
          );
          for (let step = 1; step <= 3; step++)
            kernel({
              inputs: { variable: variable!, m: m!, v: v!, gradient: normal([size], 4 + step) },
              attrs: { ...attrs, step },
              backend: nodeBackend(),
            });
          return { variable: variable!, m: m!, v: v! };
        });
      const [own, tensorflows] = [await values(ownAdamw), await values(adamw)];
      for (const name of ["variable", "m", "v"])
        expect(own[name], name).toBeAllClose(tensorflows[name]!, { rtol: 1e-6, atol: 1e-6 });
    }
  });

  test("GzAdamWAll updates a list of weights, small and large, as GzAdamW does one by one", async () => {
    const shapes = [[3], [40_000], [2 ** 20 + 1], [0], [7, 5]];
    const attrs = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 };
    const make = () =>
      shapes.map((shape, i) => ({
        variable: tf.variable(normal(shape, i)),
        m: tf.variable(normal(shape, i + 10)),
        v: tf.variable(normal(shape, i + 20).square()),
        gradient: normal(shape, i + 30),
      }));
    const named = (updates: ReturnType<typeof make>) =>
      Object.fromEntries(
        updates.flatMap(({ gradient: _, ...rest }, i) =>
          Object.entries(rest).map(([name, tensor]) => [`${name} ${i}`, tensor as tf.Tensor]),
        ),
      );
    const together = await on("tensorflow", () => {
      const updates = make();
      run("GzAdamWAll", {}, { ...attrs, step: 3, updates: updates as never });
      return named(updates);
    });
    const apart = await on("tensorflow", () => {
      const updates = make();
      for (const inputs of updates) run("GzAdamW", inputs, { ...attrs, step: 3 });
      return named(updates);
    });
    expect(together).toEqual(apart);
    expect(together["variable 0"]).not.toEqual(
      (await on("tensorflow", () => named(make())))["variable 0"],
    );
  });

  test("the addon's AdamW leaves clones alone and makes no tensors", async () => {
    const { variable, clone } = await on("tensorflow", () => {
      const [variable, m, v] = [1, 0, 0].map((value) => tf.variable(tf.fill([5], value)));
      const clone = variable!.clone();
      const gradient = tf.ones([5]);
      const before = tf.memory().numTensors;
      const attrs = { learningRate: 0.5, beta1: 0, beta2: 0, epsilon: 0, weightDecay: 0 };
      for (let step = 1; step <= 2; step++)
        run("GzAdamW", { variable: variable!, m: m!, v: v!, gradient }, { ...attrs, step });
      expect(tf.memory().numTensors).toBe(before);
      return { variable: variable!, clone };
    });
    expect([...variable!]).toEqual([0, 0, 0, 0, 0]);
    expect([...clone!]).toEqual([1, 1, 1, 1, 1]);
  });

  test("GzAdamW's weight decay is a product before the update, bit for bit", async () => {
    const attrs = { learningRate: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 0.1, step: 1 };
    const update = (start: tf.Tensor, weightDecay: number) => {
      const [variable, m, v] = [start, tf.zeros([4, 3]), tf.ones([4, 3])].map((t) =>
        tf.variable(t),
      );
      const inputs = { variable: variable!, m: m!, v: v!, gradient: normal([4, 3], 2) };
      run("GzAdamW", inputs, { ...attrs, weightDecay });
      return variable!;
    };
    const { decayed, multiplied } = await on("tensorflow", () => ({
      decayed: update(normal([4, 3], 1), 0.05),
      multiplied: update(tf.mul(normal([4, 3], 1), 1 - 0.1 * 0.05), 0),
    }));
    expect(decayed).toEqual(multiplied);
  });

  test("any number of learning rates, each as often as it likes", async () => {
    const rates = Array.from({ length: 600 }, (_, i) => 1 / (1 + (i % 300)));
    const { theta } = await on("tensorflow", () => {
      const theta = tf.variable(tf.tensor1d([1000]));
      const velocity = tf.variable(tf.tensor1d([0]));
      for (const learningRate of rates)
        run(
          "GzNesterov",
          { variable: theta, velocity, gradient: tf.tensor1d([1]) },
          { learningRate, momentum: 0 },
        );
      return { theta };
    });
    const expected = rates.reduce((sum, rate) => Math.fround(sum - Math.fround(rate)), 1000);
    expect([...theta!]).toEqual([expected]);
  });

  test("GzMovingAverage is bit for bit what the composed operations give, and leaves clones alone", async () => {
    const { fused, composed, clone, before } = await on("tensorflow", () => {
      const average = tf.variable(tf.concat([normal([50], 1), tf.tensor1d([0, -0, 1])]));
      const value = tf.concat([normal([50], 2), tf.tensor1d([0, -0, 1])]);
      const composed = tf.add(average, tf.mul(tf.sub(value, average), 1 - 0.7));
      const clone = average.clone();
      run("GzMovingAverage", { average, value }, { decay: 0.7 });
      return { fused: average, composed, clone, before: normal([50], 1) };
    });
    expect(fused).toEqual(composed);
    expect(clone!.slice(0, 50)).toEqual(before);
  });
});
