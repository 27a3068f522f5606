import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { useWasm } from "./index.ts";

beforeAll(async () => {
  await useWasm({ threads: 2 });
});

let seed = 1;
const random = (shape: number[], scale = 1): tf.Tensor =>
  tf.randomNormal(shape, 0, scale, "float32", seed++);

/** What f gives on tfjs's own cpu backend and on wasm. */
async function both(f: () => tf.Tensor | tf.Tensor[]): Promise<[Float32Array, Float32Array][]> {
  const start = seed;
  const results: Float32Array[][] = [];
  for (const name of ["cpu", "wasm"]) {
    await tf.setBackend(name);
    seed = start;
    const tensors = tf.tidy(f);
    results.push([tensors].flat().map((t) => t.dataSync() as Float32Array));
    tf.dispose(tensors);
  }
  return results[0].map((cpu, i) => [cpu, results[1][i]]);
}

async function expectSame(f: () => tf.Tensor | tf.Tensor[], tolerance = 1e-5): Promise<void> {
  for (const [cpu, wasm] of await both(f))
    expect(wasm).toBeAllClose(cpu, { rtol: tolerance, atol: tolerance });
}

/** Gradients of sum(weights * f(inputs)) by every input, the weights random. */
function gradients(f: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): tf.Tensor[] {
  const weights = random(tf.tidy(() => f(...inputs).shape));
  return tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(f(...xs), weights)))(inputs);
}

const padding = fc.oneof(
  fc.constantFrom("valid" as const, "same" as const),
  fc.tuple(...[0, 1, 2, 3].map(() => fc.nat(2))).map(
    ([t, b, l, r]): tf.backend_util.ExplicitPadding => [
      [0, 0],
      [t, b],
      [l, r],
      [0, 0],
    ],
  ),
);
const images = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 3, max: 9 }),
  width: fc.integer({ min: 3, max: 9 }),
  channels: fc.integer({ min: 1, max: 9 }),
});
const window = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));

describe("convolution", () => {
  test("has cpu's gradients for any shape, stride and padding", async () => {
    await fc.assert(
      fc.asyncProperty(
        images,
        window,
        window,
        fc.integer({ min: 1, max: 17 }),
        padding,
        ({ n, height, width, channels }, size, strides, outputs, pad) =>
          expectSame(
            () =>
              gradients(
                (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad),
                [random([n, height, width, channels]), random([...size, channels, outputs])],
              ),
            2e-4,
          ),
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  test("gathers images in several groups", async () => {
    await expectSame(
      () =>
        gradients(
          (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same"),
          [random([3, 64, 64, 16]), random([3, 3, 16, 8], 0.1)],
        ),
      2e-3,
    );
  });

  test("works in tf.layers with bias, activation and stride", async () => {
    await expectSame(() => {
      const layer = tf.layers.conv2d({
        filters: 5,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        activation: "relu",
        kernelInitializer: tf.initializers.heNormal({ seed: 3 }),
        biasInitializer: "ones",
      });
      return gradients((x) => layer.apply(x) as tf.Tensor, [random([2, 7, 6, 3])]);
    });
  });

  test("says what it does not do", async () => {
    await tf.setBackend("wasm");
    const dy = tf.ones<tf.Rank.R4>([1, 1, 2, 2]);
    const run = () =>
      tf
        .engine()
        .runKernel(
          "Conv2DBackpropInput",
          { dy, filter: tf.ones([1, 1, 1, 1]) },
          { strides: 1, pad: "valid", dataFormat: "NCHW", inputShape: [1, 1, 2, 2] },
        );
    expect(run).toThrow('Conv2DBackpropInput: expected "NHWC" for dataFormat but got "NCHW"');
  });
});

describe("pooling", () => {
  const poolPadding = fc.constantFrom("valid" as const, "same" as const);

  test("max: cpu's gradient, ties to the first of the window", async () => {
    await fc.assert(
      fc.asyncProperty(images, window, window, poolPadding, (shape, size, strides, pad) =>
        expectSame(() => {
          const { n, height, width, channels } = shape;
          const levels = tf.round(random([n, height, width, channels]));
          return gradients((x) => tf.maxPool(x as tf.Tensor4D, size, strides, pad), [levels]);
        }),
      ),
      { numRuns: 60, seed: 2 },
    );
  });

  test("average: cpu's gradient where windows lie inside the image", async () => {
    await fc.assert(
      fc.asyncProperty(images, window, window, (shape, size, strides) =>
        expectSame(() => {
          const { n, height, width, channels } = shape;
          const x = random([n, height, width, channels]);
          return gradients((x) => tf.avgPool(x as tf.Tensor4D, size, strides, "valid"), [x]);
        }),
      ),
      { numRuns: 30, seed: 3 },
    );
  });

  // tfjs's cpu gradient divides by the whole window even at the border, where its pooling does not.
  test("average: finite differences at padded borders", async () => {
    await tf.setBackend("wasm");
    const pool = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same");
    expectFiniteDifferences(pool, random([1, 5, 4, 2]));
  });
});

/** f is compared at a step that float32 resolves: exact for the (piecewise) linear functions here. */
function expectFiniteDifferences(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, step = 0.25): void {
  const weights = random(f(x).shape);
  const total = (values: Float32Array): number =>
    tf.tidy(() => tf.sum(tf.mul(f(tf.tensor(values, x.shape)), weights)).dataSync()[0]);
  const gradient = tf
    .grad((y: tf.Tensor) => tf.sum(tf.mul(f(y), weights)))(x)
    .dataSync();
  const values = x.dataSync() as Float32Array;
  const differences = values.map((_, i) => {
    const [up, down] = [values.slice(), values.slice()];
    up[i] += step;
    down[i] -= step;
    return (total(up) - total(down)) / (2 * step);
  });
  expect(gradient).toBeAllClose(differences, { rtol: 1e-3, atol: 1e-4 });
}

test("matrix products, transposed or not, single or in batches", async () => {
  for (const ta of [false, true])
    for (const tb of [false, true])
      for (const [m, k, n] of [
        [5, 7, 3],
        [1, 4, 9],
        [9, 2, 1],
        [2, 40, 30],
        [3, 70, 950], // many weights, few rows: not packed
      ])
        for (const outer of [[], [1], [3], [2, 2]])
          await expectSame(() => {
            const a = random([...outer, ...(ta ? [k, m] : [m, k])]);
            const b = random([...outer, ...(tb ? [n, k] : [k, n])]);
            return [
              tf.matMul(a, b, ta, tb),
              ...gradients((x, y) => tf.matMul(x, y, ta, tb), [a, b]),
            ];
          }, 1e-4);
});

test.each(["linear", "relu", "sigmoid", "elu", "tanh"] as const)(
  "a wide dense layer with bias, %s",
  async (activation) => {
    await expectSame(() => {
      const kernelInitializer = tf.initializers.heNormal({ seed: 1 });
      const biasInitializer = tf.initializers.randomNormal({ seed: 2 });
      const layer = tf.layers.dense({ units: 301, activation, kernelInitializer, biasInitializer });
      const x = random([5, 257]);
      return [layer.apply(x) as tf.Tensor, ...gradients((y) => layer.apply(y) as tf.Tensor, [x])];
    });
  },
);

test("sums over leading axes", async () => {
  await expectSame(() => {
    const x = random([3, 4, 5, 6]);
    const y = random([7, 3]);
    return [tf.sum(x, [0, 1, 2]), tf.sum(x, [2, 0, -3], true), tf.sum(y, 0), tf.sum(x, [0, 1])];
  });
  await expectSame(() => tf.sum(tf.ones([5, 8], "int32"), 0));
});

test("matrix products broadcast one matrix over a batch", async () => {
  await expectSame(() => tf.matMul(random([3, 4, 5]), random([1, 6, 5]), false, true));
});

/** Every operation whose gradient tf.layers, its losses and @gz/layers need. */
const OPERATIONS: Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  abs: (x) => tf.abs(x),
  add: (x, y) => tf.add(x, tf.sum(y, 0)),
  batchNorm: (x, y) => {
    const { mean, variance } = tf.moments(x, 0);
    const [offset, scale] = [tf.mean(y, 0), tf.sum(y, 0)];
    const args = [x, mean, variance, offset, scale] as Parameters<typeof tf.batchNorm>;
    return tf.batchNorm(...args);
  },
  clip: (x) => tf.clipByValue(x, -0.5, 0.5),
  concat: (x, y) => tf.concat([x, y], 1),
  cumsum: (x) => tf.cumsum(x, 1),
  div: (x, y) => tf.div(x, tf.add(tf.square(y), 1)),
  elu: (x) => tf.elu(x),
  exp: (x) => tf.exp(x),
  gather: (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1], "int32"), 1),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  log: (x) => tf.log(tf.add(tf.square(x), 0.1)),
  logSoftmax: (x) => tf.logSoftmax(x),
  max: (x) => tf.max(x, 1),
  maximum: (x, y) => tf.maximum(x, y),
  mean: (x) => tf.mean(x, 0),
  min: (x) => tf.min(x, 0),
  minimum: (x, y) => tf.minimum(x, y),
  mul: (x, y) => tf.mul(x, tf.mean(y, 1, true)),
  pad: (x) =>
    tf.pad(x, [
      [1, 2],
      [0, 3],
    ]),
  pow: (x) => tf.pow(tf.abs(x), 1.5),
  prelu: (x, y) => tf.prelu(x, y),
  prod: (x) => tf.prod(x, 1),
  relu: (x) => tf.relu(x),
  reverse: (x) => tf.reverse(x, 1),
  rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 0.1)),
  selu: (x) => tf.selu(x),
  sigmoid: (x) => tf.sigmoid(x),
  slice: (x) => tf.slice(x, [1, 1], [2, 3]),
  softmax: (x) => tf.softmax(x),
  softplus: (x) => tf.softplus(x),
  split: (x) => tf.mul(...(tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor])),
  sqrt: (x) => tf.sqrt(tf.add(tf.square(x), 0.1)),
  squaredDifference: (x, y) => tf.squaredDifference(x, y),
  stack: (x, y) => tf.stack([x, y], 1),
  sub: (x, y) => tf.sub(x, y),
  sum: (x) => tf.sum(x, 1),
  tanh: (x) => tf.tanh(x),
  tile: (x) => tf.tile(x, [2, 3]),
  transpose: (x) => tf.transpose(x),
  where: (x, y) => tf.where(tf.greater(tf.randomNormal([4, 6], 0, 1, "float32", 5), 0), x, y),
};

test.each(Object.keys(OPERATIONS))("%s has cpu's gradient", async (name) => {
  await expectSame(() => {
    const f = OPERATIONS[name];
    const inputs = [random([4, 6]), random([4, 6])];
    return gradients(f as (...xs: tf.Tensor[]) => tf.Tensor, inputs.slice(0, f.length));
  });
});

test("reverse gives cpu's values for any axes of any shape, and for any type", async () => {
  const reversal = fc
    .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axes: fc.subarray(
          shape.map((_, axis) => axis),
          { minLength: 1 },
        ),
        dtype: fc.constantFrom("float32" as const, "int32" as const),
      }),
    );
  await fc.assert(
    fc.asyncProperty(reversal, async ({ shape, axes, dtype }) => {
      const [[cpu, wasm]] = await both(() => tf.reverse(tf.cast(random(shape, 100), dtype), axes));
      expect(wasm).toEqual(cpu);
    }),
    { numRuns: 60 },
  );
});

describe("fused kernels", () => {
  const call = (name: string, inputs: object, attrs: object): void => {
    tf.getKernel(name, "wasm").kernelFunc({
      inputs: inputs as tf.NamedTensorInfoMap,
      attrs: attrs as tf.NamedAttrMap,
      backend: tf.backend(),
    });
  };

  test("GzReluGrad passes dy where y is positive", async () => {
    await tf.setBackend("wasm");
    const y = tf.tensor1d([0, 1, -0, 0.5, 2, -1, 3]);
    const dy = tf.tensor1d([1, 2, 3, 4, 5, 6, 7]);
    const dx = tf.engine().runKernel("GzReluGrad", { dy, y }) as tf.Tensor;
    expect([...dx.dataSync()]).toEqual([0, 2, 0, 4, 5, 0, 7]);
  });

  test.each([
    [2, 3, 5, 4],
    [1, 4, 4, 3],
    [7, 1, 1, 9],
  ])("GzBatchNorm and its gradient on [%i, %i, %i, %i] are the formula's", async (...shape) => {
    const channels = shape[3];
    const epsilon = 1e-3;
    const normalize = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.add(
        tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), scale),
        offset,
      );
    };
    await tf.setBackend("cpu");
    const x = tf.add(random(shape, 2), 30);
    const [scale, offset, dy] = [random([channels]), random([channels]), random(shape)];
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const y = normalize(x, scale, offset);
    const expected = tf.grads((...a: tf.Tensor[]) =>
      tf.sum(tf.mul(normalize(a[0], a[1], a[2]), dy)),
    )([x, scale, offset]);
    const [movingMean, movingVariance] = [random([channels]), random([channels])];
    const n = x.size / channels;
    const blend = (old: tf.Tensor, batch: tf.Tensor) =>
      tf.add(tf.mul(old, 0.7), tf.mul(batch, 0.3));
    const moved = [blend(movingMean, mean), blend(movingVariance, tf.mul(variance, n / (n - 1)))];
    const values = [y, ...moved, ...expected].map((t) => t.dataSync());

    await tf.setBackend("wasm");
    const run = (name: string, inputs: tf.NamedTensorMap): tf.Tensor[] =>
      tf.engine().runKernel(name, inputs, { epsilon, momentum: 0.7 }) as tf.Tensor[];
    const inputs = { x, scale, offset, movingMean, movingVariance };
    const [wy, wmean, wvariance, saved1, saved2] = run("GzBatchNorm", inputs);
    const grads = run("GzBatchNormGrad", { dy, x, scale, saved1, saved2 });
    [wy, wmean, wvariance, ...grads].forEach((t, i) => {
      expect(t.dataSync()).toBeAllClose(values[i], { rtol: 1e-4, atol: 2e-4 });
    });
  });

  test("GzNesterov and GzAdamW update in place by their formulas", async () => {
    await tf.setBackend("wasm");
    for (const n of [1, 4, 11]) {
      const [w, a, b, g] = [random([n]), random([n]), tf.abs(random([n])), random([n])];
      const [w0, a0, b0, g0] = [w, a, b, g].map((t) => t.dataSync());
      const [variable, velocity, m, v] = [w, a, a, b].map((t) => tf.variable(t.clone()));
      call("GzNesterov", { variable, velocity, gradient: g }, { learningRate: 0.1, momentum: 0.9 });
      const v1 = a0.map((x, i) => 0.9 * x - 0.1 * g0[i]);
      expect(velocity.dataSync()).toBeAllClose(v1);
      expect(variable.dataSync()).toBeAllClose(w0.map((x, i) => x + 0.9 * v1[i] - 0.1 * g0[i]));

      const adam = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
      variable.assign(w);
      call("GzAdamW", { variable, m, v, gradient: g }, { ...adam, weightDecay: 0.1, step: 3 });
      const m1 = a0.map((x, i) => 0.9 * x + 0.1 * g0[i]);
      const s1 = b0.map((x, i) => 0.999 * x + 0.001 * g0[i] ** 2);
      expect(m.dataSync()).toBeAllClose(m1);
      expect(v.dataSync()).toBeAllClose(s1);
      expect(variable.dataSync()).toBeAllClose(
        w0.map((x, i) => {
          const corrected = m1[i] / (1 - 0.9 ** 3);
          return 0.999 * x - (0.01 * corrected) / (Math.sqrt(s1[i] / (1 - 0.999 ** 3)) + 1e-8);
        }),
      );
    }
  });

  test("GzMovingAverage is bit for bit what the composed operations give, and leaves clones alone", async () => {
    await tf.setBackend("wasm");
    for (const n of [1, 4, 11]) {
      const average = tf.variable(random([n]));
      const clone = average.clone();
      const before = clone.dataSync().slice();
      const value = random([n]);
      const composed = tf.add(average, tf.mul(tf.sub(value, average), 1 - 0.7)).dataSync();
      call("GzMovingAverage", { average, value }, { decay: 0.7 });
      expect(average.dataSync()).toEqual(composed);
      expect(clone.dataSync()).toEqual(before);
    }
  });

  test("an update leaves clones of the weights alone, and reaches packed weights", async () => {
    await tf.setBackend("wasm");
    const variable = tf.variable(tf.ones([1, 1, 1, 1]));
    const velocity = tf.variable(tf.zeros([1, 1, 1, 1]));
    const x = tf.ones<tf.Rank.R4>([1, 2, 2, 1]);
    const convolved = () =>
      tf.conv2d(x, variable as unknown as tf.Tensor4D, 1, "valid").dataSync()[0];
    expect(convolved()).toBe(1);
    const clone = variable.clone();
    const update = () =>
      call(
        "GzNesterov",
        { variable, velocity, gradient: variable },
        { learningRate: 0.5, momentum: 0 },
      );
    update();
    expect(convolved()).toBe(0.5);
    expect(clone.dataSync()[0]).toBe(1);
    clone.dispose();
    update();
    expect(convolved()).toBe(0.25);
  });
});

test("updates and normalisation refuse what is not of one shape", () => {
  const call = (kernelName: string, shapes: Record<string, number[]>, attrs: object = {}) => {
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, tf.variable(tf.ones(shape))]),
    );
    return () =>
      tf.getKernel(kernelName, "wasm")!.kernelFunc({
        inputs,
        attrs: attrs as never,
        backend: tf.backend(),
      });
  };
  expect(call("GzNesterov", { variable: [4096], velocity: [4], gradient: [4096] })).toThrow(
    "GzNesterov: expected float32 [4096] for velocity but got float32 [4]",
  );
  expect(call("GzAdamW", { variable: [3], m: [3], v: [3], gradient: [2] })).toThrow(
    "GzAdamW: expected float32 [3] for gradient but got float32 [2]",
  );
  const norm = { x: [2, 3], scale: [5], offset: [3], movingMean: [3], movingVariance: [3] };
  expect(call("GzBatchNorm", norm, { epsilon: 0, momentum: 0 })).toThrow(
    "GzBatchNorm: expected float32 [3] for scale but got float32 [5]",
  );
});

test("batch normalisation of nothing leaves the moving statistics as they were", async () => {
  await tf.setBackend("wasm");
  const [movingMean, movingVariance] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5, 6])];
  const inputs = { x: tf.zeros([0, 3]), scale: tf.ones([3]), offset: tf.ones([3]) };
  const [, mean, variance] = tf
    .engine()
    .runKernel(
      "GzBatchNorm",
      { ...inputs, movingMean, movingVariance },
      { epsilon: 1e-3, momentum: 0.7 },
    ) as unknown as tf.Tensor[];
  expect([...mean.dataSync(), ...variance.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
});

test("a wide product has the shape and the bias that tfjs's has", async () => {
  await expectSame(() => {
    const product = tf.matMul(random([2, 300]) as tf.Tensor2D, random([1, 300, 300]));
    expect(product.shape).toEqual([1, 2, 300]);
    return product;
  }, 1e-4);
  await tf.setBackend("wasm");
  const [a, b] = [random([2, 300]) as tf.Tensor2D, random([300, 300]) as tf.Tensor2D];
  expect(() => tf.fused.matMul({ a, b, bias: tf.scalar(1) })).toThrow(/rank-1 bias/);
});

test("a value that another backend made, updated here, leaves its clones alone", async () => {
  await tf.setBackend("cpu");
  const variable = tf.variable(tf.tensor1d([1, 1]));
  const clone = variable.clone();
  await tf.setBackend("wasm");
  const inputs = { variable, velocity: tf.variable(tf.zeros([2])), gradient: tf.ones([2]) };
  const attrs = { learningRate: 1, momentum: 0 };
  tf.getKernel("GzNesterov", "wasm")!.kernelFunc({ inputs, attrs, backend: tf.backend() });
  expect([...variable.dataSync()]).toEqual([0, 0]);
  expect([...clone.dataSync()]).toEqual([1, 1]);
});

test("the gradient of ReLU is one operation, and of integers it is tfjs's", async () => {
  await expectSame(() => tf.grad((x) => tf.relu(x))(tf.tensor1d([-1, 0, 2], "int32")));
  await tf.setBackend("wasm");
  const { kernels } = await tf.profile(() => tf.grad((x) => tf.relu(x))(random([9])));
  const names = kernels.map(({ name }) => name);
  expect(names).toContain("GzReluGrad");
  expect(names).not.toContain("Step");
});
