import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import golden from "../test/fixtures/golden.json" with { type: "json" };
import { leaked, reloadError, wave } from "../test/helpers.ts";
import { fillMask } from "./_dropout-mask.ts";
import { dropout, setDropoutStep } from "./dropout.ts";

beforeAll(() => tf.setBackend("cpu"));

function train(layer: tf.layers.Layer | tf.LayersModel, x: tf.Tensor): number[] {
  return [...(layer.apply(x, { training: true }) as tf.Tensor).dataSync()];
}

function mask(length: number, rate: number, seed: number, step: number): Float32Array {
  const out = new Float32Array(length);
  fillMask(out, rate, seed, step);
  return out;
}

for (const { rate, seed, step, kept } of golden.masks)
  test(`rate ${rate}, seed ${seed}, step ${step}: the mask an independent program computes`, () => {
    const factor = 1 / (1 - Math.round(rate * 65536) / 65536);
    const bits = [...mask(kept.length, rate, seed, step)]
      .map((v) => (v === 0 ? "0" : "1"))
      .join("");
    expect(bits).toBe(kept);
    expect([...new Set(mask(kept.length, rate, seed, step))].sort()).toEqual([
      0,
      Math.fround(factor),
    ]);
  });

for (const rate of [0.1, 0.5, 0.75])
  test(`rate ${rate}: drops that share, keeps the mean, and neither neighbours nor steps nor seeds are alike`, () => {
    const n = 200_000;
    const share = (a: Float32Array, b: Float32Array): number =>
      a.reduce((s, v, i) => s + (v !== 0 && b[i] !== 0 ? 1 : 0), 0) / a.length;
    const kept = 1 - rate;
    // Five standard deviations of a share of n independent coins.
    const tolerance = (p: number): { rtol: number; atol: number } => ({
      rtol: 0,
      atol: 5 * Math.sqrt((p * (1 - p)) / n),
    });
    const one = mask(n, rate, 3, 8);
    expect([share(one, one)]).toBeAllClose([kept], tolerance(kept));
    expect([one.reduce((s, v) => s + v, 0) / n]).toBeAllClose([1], { atol: 0.02 });
    for (const other of [
      mask(n, rate, 3, 9),
      mask(n, rate, 4, 8),
      mask(n, rate, 8, 3),
      one.slice(1),
      one.slice(2),
      one.slice(32),
      one.slice(64),
    ])
      expect([share(other, one)]).toBeAllClose([kept * kept], tolerance(kept * kept));
  });

test("scales what it keeps, drops the rest, in training calls only", () => {
  const layer = dropout({ rate: 0.5, seed: 1 });
  const x = wave([8, 16], 0, 1, 3);
  expect((layer.apply(x) as tf.Tensor).dataSync()).toEqual(x.dataSync());
  const factors = train(layer, x).map((y, i) => y / x.dataSync()[i]!);
  expect([...new Set(factors)].sort()).toEqual([0, 2]);
  expect(train(dropout({ rate: 0, seed: 1 }), x)).toEqual([...x.dataSync()]);
});

test("the gradient passes where the value passed", () => {
  const layer = dropout({ rate: 0.25, seed: 5 });
  setDropoutStep({ layers: [layer] }, 17);
  const x = tf.ones([10, 10]);
  const g = tf.grad((t) => layer.apply(t, { training: true }) as tf.Tensor)(x);
  expect([...g.dataSync()]).toEqual(train(layer, x));
});

test("two uses in one step do not disturb each other's gradient", () => {
  const layer = dropout({ rate: 0.5, seed: 5 });
  const x = tf.ones([64]);
  const g = tf.grad((t) =>
    tf.add(
      layer.apply(t, { training: true }) as tf.Tensor,
      layer.apply(t, { training: true }) as tf.Tensor,
    ),
  )(x);
  const again = dropout({ rate: 0.5, seed: 5 });
  const [a, b] = [train(again, x), train(again, x)];
  expect([...g.dataSync()]).toEqual(a.map((v, i) => v + b[i]!));
});

test("counts training calls until a step is set, then keeps to it", () => {
  const x = tf.ones([4, 32]);
  const layer = dropout({ rate: 0.5, seed: 9 });
  const calls = [train(layer, x), train(layer, x)];
  layer.apply(x);
  expect(calls[0]).not.toEqual(calls[1]);
  const model = { layers: [layer] };
  setDropoutStep(model, 1);
  expect(train(layer, x)).toEqual(calls[1]);
  expect(train(layer, x)).toEqual(calls[1]);
  setDropoutStep(model, 0);
  expect(train(layer, x)).toEqual(calls[0]);
  expect(train(dropout({ rate: 0.5, seed: 10 }), x)).not.toEqual(calls[0]);
});

test("a run that is resumed sees the masks of the uninterrupted one", async () => {
  const build = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({
          units: 16,
          inputShape: [4],
          kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
        }),
        dropout({ rate: 0.5, seed: 2 }),
        tf.layers.dense({
          units: 1,
          kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
        }),
      ],
    });
  const steps = async (model: tf.LayersModel, from: number, to: number): Promise<Float32Array> => {
    model.compile({ optimizer: tf.train.sgd(0.05), loss: "meanSquaredError" });
    for (let step = from; step < to; step++) {
      setDropoutStep(model, step);
      await model.trainOnBatch(wave([8, 4], step), wave([8, 1], step));
    }
    return model.getWeights()[0]!.dataSync() as Float32Array;
  };
  const whole = await steps(build(), 0, 6);
  const half = build();
  await steps(half, 0, 3);
  const resumed = build();
  resumed.setWeights(half.getWeights());
  expect(await steps(resumed, 3, 6)).toEqual(whole);
});

test("survives saving, and leaks nothing", async () => {
  const model = tf.sequential({ layers: [dropout({ rate: 0.3, seed: 4, inputShape: [20] })] });
  const x = tf.ones([2, 20]);
  expect(await reloadError(model, x)).toBe(0);
  expect(model.layers[0]!.getConfig()).toMatchObject({ rate: 0.3, seed: 4 });
  expect(
    leaked(50, () =>
      tf
        .grad((t) => model.apply(t, { training: true }) as tf.Tensor)(x)
        .dispose(),
    ),
  ).toBe(0);
});

test("says what is wrong", () => {
  for (const rate of [-0.1, 1, Number.NaN, undefined])
    expect(() => dropout({ rate: rate as number, seed: 0 })).toThrow(
      `dropout: expected a number in [0, 1) for rate but got ${rate}`,
    );
  expect(() => dropout({ rate: 0.5, seed: 1.5 })).toThrow(
    "dropout: expected an integer of at least 0 for seed but got 1.5",
  );
  expect(() => setDropoutStep({ layers: [] }, -1)).toThrow(
    "setDropoutStep: expected an integer of at least 0 for step but got -1",
  );
});
