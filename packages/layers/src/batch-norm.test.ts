import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import golden from "../test/fixtures/golden.json" with { type: "json" };
import { gradients, leaked, reload, reloadError, wave } from "../test/helpers.ts";
import { batchNorm } from "./batch-norm.ts";

beforeAll(() => tf.setBackend("cpu"));

const train = (layer: tf.layers.Layer, x: tf.Tensor): tf.Tensor =>
  layer.apply(x, { training: true }) as tf.Tensor;

/** The golden case's layer: PyTorch's momentum 0.25 is 0.75 here. */
function goldenLayer(shape: number[]): tf.layers.Layer {
  const channels = shape.at(-1)!;
  const layer = batchNorm({ momentum: 0.75, epsilon: 1e-3 });
  layer.build(shape);
  layer.setWeights([
    wave([channels], 5, 0.5, 1),
    wave([channels], 9, 0.3),
    tf.zeros([channels]),
    tf.ones([channels]),
  ]);
  return layer;
}

for (const { shape, steps, inference } of golden.batchNorm)
  test(`[${shape}]: two training steps, their gradients and inference are PyTorch's`, () => {
    const layer = goldenLayer(shape);
    steps.forEach((expected, step) => {
      const x = wave(shape, 100 * step, 2, 3);
      const [gamma, beta, mean, variance] = layer.weights.map((w) => w.read()) as [
        tf.Variable,
        tf.Variable,
        tf.Variable,
        tf.Variable,
      ];
      let y = x;
      const { grads } = tf.variableGrads(() => {
        y = tf.keep(train(layer, x));
        return tf.sum(tf.mul(y, wave(shape, 31)));
      }, [gamma, beta]);
      expect(y.dataSync()).toBeAllClose(expected.y, { rtol: 1e-5, atol: 1e-5 });
      expect(mean.dataSync()).toBeAllClose(expected.mean, { rtol: 1e-6 });
      expect(variance.dataSync()).toBeAllClose(expected.variance, { rtol: 1e-6 });
      expect(grads[gamma.name]!.dataSync()).toBeAllClose(expected.dgamma, {
        rtol: 1e-5,
        atol: 1e-5,
      });
      expect(grads[beta.name]!.dataSync()).toBeAllClose(expected.dbeta, { rtol: 1e-5, atol: 1e-5 });
    });
    expect((layer.apply(wave(shape, 0, 2, 3)) as tf.Tensor).dataSync()).toBeAllClose(inference, {
      rtol: 1e-5,
      atol: 1e-5,
    });
    const fresh = goldenLayer(shape);
    const dx = tf.grad((t) => tf.sum(tf.mul(train(fresh, t), wave(shape, 31))))(
      wave(shape, 0, 2, 3),
    );
    expect(dx.dataSync()).toBeAllClose(steps[0]!.dx, { rtol: 1e-5, atol: 1e-5 });
  });

test("agrees with finite differences", () => {
  const layer = batchNorm();
  const { tape, difference } = gradients((x) => train(layer, x), wave([2, 2, 2, 3], 0, 2), 1e-2);
  expect(tape).toBeAllClose(difference, { atol: 2e-3 });
});

test("keeps its digits when the mean is far from 0", () => {
  const layer = batchNorm();
  const y = train(layer, wave([64, 4, 4, 2], 0, 1, 1000)).dataSync();
  const expected = train(batchNorm(), wave([64, 4, 4, 2])).dataSync();
  expect(y).toBeAllClose(expected, { atol: 1e-3 }); // float32 has steps of 6e-5 at 1000
});

test("one example a channel normalises to beta, without NaN", () => {
  const layer = batchNorm();
  expect([...train(layer, tf.tensor2d([[5, -2]])).dataSync()]).toEqual([0, 0]);
  expect(layer.weights[3]!.read().dataSync()).toBeAllClose([0.9, 0.9]);
});

test("trains with moving statistics that inference uses, survives saving, leaks nothing", async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 8,
        inputShape: [3],
        kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      }),
      batchNorm({ momentum: 0.8 }),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
    ],
  });
  expect(model.layers[1]!.trainableWeights.map((w) => w.originalName.split("/").at(-1))).toEqual([
    "gamma",
    "beta",
  ]);
  expect(model.layers[1]!.nonTrainableWeights.map((w) => w.originalName.split("/").at(-1))).toEqual(
    ["moving_mean", "moving_variance"],
  );
  const [x, y] = [wave([32, 3], 0, 5, 7), wave([32, 1], 2)];
  model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
  const { history } = await model.fit(x, y, { epochs: 40, shuffle: false, verbose: 0 });
  expect(history.loss!.at(-1)).toBeLessThan(0.6 * (history.loss![0] as number));
  expect(await reloadError(model, x)).toBe(0);
  // The statistics have settled, so both ways of normalising nearly agree.
  const [inference, training] = [
    model.predict(x) as tf.Tensor,
    model.apply(x, { training: true }) as tf.Tensor,
  ];
  expect(inference.dataSync()).toBeAllClose(training.dataSync(), { atol: 0.1 });
  expect(
    leaked(50, () =>
      tf
        .grad((t) => model.apply(t, { training: true }) as tf.Tensor)(x)
        .dispose(),
    ),
  ).toBe(0);
});

test("starts the scale as asked, and remembers how", async () => {
  const model = tf.sequential({
    layers: [batchNorm({ gammaInitializer: tf.initializers.zeros(), inputShape: [4] })],
  });
  expect([...train(model.layers[0]!, wave([3, 4])).dataSync()]).toEqual(new Array(12).fill(0));
  expect((await reload(model)).layers[0]!.getConfig()).toMatchObject({
    momentum: 0.9,
    epsilon: 1e-5,
    gammaInitializer: { className: "Zeros" },
  });
});

test("says what is wrong", () => {
  expect(() => batchNorm({ momentum: 1 })).toThrow(
    "batchNorm: expected a number in [0, 1) for momentum but got 1",
  );
  expect(() => batchNorm({ epsilon: 0 })).toThrow(
    "batchNorm: expected a positive number for epsilon but got 0",
  );
  expect(() => batchNorm().build([null, null])).toThrow(
    "batchNorm: expected an input shape with a batch axis and a known last axis but got [null,null]",
  );
});

test("uses a backend's fused kernels where it has both", () => {
  // A real kernel for the cpu backend, in float64 loops: the same numbers must come out, and the composed way must not run.
  let calls = 0;
  const at = (info: tf.TensorInfo): Float32Array =>
    tf.engine().backend.readSync(info.dataId) as Float32Array;
  const info = (values: number[], shape: number[]): tf.TensorInfo => {
    const data = Float32Array.from(values);
    return { dataId: tf.engine().backend.write(data, shape, "float32"), shape, dtype: "float32" };
  };
  const stats = (x: Float32Array, c: number) => {
    const n = x.length / c;
    const mean = Array.from(
      { length: c },
      (_, k) => x.reduce((s, v, i) => s + (i % c === k ? v : 0), 0) / n,
    );
    const variance = mean.map(
      (m, k) => x.reduce((s, v, i) => s + (i % c === k ? (v - m) ** 2 : 0), 0) / n,
    );
    return { n, mean, variance };
  };
  const backendName = "cpu";
  tf.registerKernel({
    kernelName: "GzBatchNorm",
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      calls++;
      const { x, scale, offset, movingMean, movingVariance } = inputs;
      const [values, g, b, oldMean, oldVariance] = [
        ...[x!, scale!, offset!, movingMean!, movingVariance!],
      ].map(at) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
      const { n, mean, variance } = stats(values, g.length);
      const inverse = variance.map((v) => 1 / Math.sqrt(v + (attrs!.epsilon as number)));
      const y = [...values].map(
        (v, i) =>
          (v - mean[i % g.length]!) * inverse[i % g.length]! * g[i % g.length]! + b[i % g.length]!,
      );
      const c = [g.length];
      const momentum = attrs!.momentum as number;
      const move = (old: Float32Array, batch: number[], factor = 1) =>
        batch.map((v, k) => old[k]! * momentum + v * factor * (1 - momentum));
      return [
        info(y, x!.shape),
        info(move(oldMean, mean), c),
        info(move(oldVariance, variance, n / (n - 1)), c),
        info(mean, c),
        info(inverse, c),
      ];
    },
  });
  tf.registerKernel({
    kernelName: "GzBatchNormGrad",
    backendName,
    kernelFunc: ({ inputs }) => {
      calls++;
      const [dy, x, g, mean, inverse] = [
        inputs.dy!,
        inputs.x!,
        inputs.scale!,
        inputs.saved1!,
        inputs.saved2!,
      ].map(at) as Float32Array[] as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const c = g.length;
      const u = [...x].map((v, i) => (v - mean[i % c]!) * inverse[i % c]!);
      const dbeta = Array.from({ length: c }, (_, k) =>
        dy.reduce((s, v, i) => s + (i % c === k ? v : 0), 0),
      );
      const dgamma = Array.from({ length: c }, (_, k) =>
        dy.reduce((s, v, i) => s + (i % c === k ? v * u[i]! : 0), 0),
      );
      const n = x.length / c;
      const dx = [...dy].map(
        (v, i) =>
          g[i % c]! * inverse[i % c]! * (v - dbeta[i % c]! / n - (u[i]! * dgamma[i % c]!) / n),
      );
      return [info(dx, inputs.x!.shape), info(dgamma, [c]), info(dbeta, [c])];
    },
  });
  try {
    for (const { shape, steps } of golden.batchNorm) {
      const layer = goldenLayer(shape);
      const x = wave(shape, 0, 2, 3);
      const dx = tf.grad((t) => tf.sum(tf.mul(train(layer, t), wave(shape, 31))))(x);
      expect(dx.dataSync()).toBeAllClose(steps[0]!.dx, { rtol: 1e-5, atol: 1e-5 });
      expect(layer.weights[3]!.read().dataSync()).toBeAllClose(steps[0]!.variance);
      expect(
        leaked(50, () =>
          tf
            .grad((t) => train(layer, t))(x)
            .dispose(),
        ),
      ).toBe(0);
    }
    expect(calls).toBe(2 * (2 + 2 * 51)); // shapes * kernels * calls
  } finally {
    tf.unregisterKernel("GzBatchNorm", backendName);
    tf.unregisterKernel("GzBatchNormGrad", backendName);
  }
});
