import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import winner from "../test/fixtures/winner.json" with { type: "json" };
import { leaked, reloadError, wave } from "../test/helpers.ts";
import { mergeParts, splitParts } from "./parts.ts";

beforeAll(() => tf.setBackend("cpu"));

const split = (x: tf.Tensor, partSize: number, mirror = true): tf.Tensor =>
  splitParts({ partSize, mirror }).apply(x) as tf.Tensor;

test("turns and cuts 69-pixel views as the winner did", () => {
  // Channel 0 is the row, channel 1 the column.
  const rows = tf.tile(tf.range(0, 69).reshape([1, 1, 69, 1, 1]), [1, 1, 1, 69, 1]);
  const columns = tf.tile(tf.range(0, 69).reshape([1, 1, 1, 69, 1]), [1, 1, 69, 1, 1]);
  const parts = split(tf.concat([rows, columns], 4), 45).arraySync() as number[][][][];
  winner.corners.forEach((corners, k) => {
    const upright = [parts[k]![0]![0], parts[k]![0]![44], parts[k]![44]![0], parts[k]![44]![44]];
    expect(upright).toEqual(corners);
    expect(parts[k]![34]![34]).toEqual([34, 34]);
    const mirrored = parts[4 + k]!;
    expect([mirrored[0]![0], mirrored[0]![44], mirrored[44]![0], mirrored[44]![44]]).toEqual(
      corners.map(([r, c]) => [r, 68 - c!]),
    );
  });
});

test("gives the parts that PyTorch cuts", () => {
  const parts = split(wave([2, 2, 69, 69, 3], 12345, 0.5, 0.5), 45);
  expect(parts.shape).toEqual([32, 45, 45, 3]);
  const values = parts.dataSync() as Float32Array;
  const middle = values.length / 2;
  const { mean, rms, first, last, middle: expectedMiddle } = winner.parts;
  expect([
    ...values.slice(0, 4),
    ...values.slice(middle, middle + 4),
    ...values.slice(-4),
  ]).toBeAllClose([...first, ...expectedMiddle, ...last]);
  const average = (f: (v: number) => number): number =>
    values.reduce((sum, v) => sum + f(v), 0) / values.length;
  expect([average((v) => v), Math.sqrt(average((v) => v * v))]).toBeAllClose([mean, rms]);
});

for (const mirror of [true, false])
  test(`puts part p of image b at row p * batch + b (${mirror ? "with" : "without"} mirrors)`, () => {
    const [batch, views, size, part] = [3, 2, 6, 4];
    const x = wave([batch, views, size, size, 2]);
    const pixels = x.arraySync() as number[][][][][];
    const parts = split(x, part, mirror).arraySync() as number[][][][];
    const turns = [
      (i: number, j: number) => [i, j],
      (i: number, j: number) => [j, size - 1 - i],
      (i: number, j: number) => [size - 1 - i, size - 1 - j],
      (i: number, j: number) => [size - 1 - j, i],
    ];
    let p = 0;
    for (let view = 0; view < views; view++)
      for (const mirrored of mirror ? [false, true] : [false])
        for (const turn of turns) {
          for (let b = 0; b < batch; b++)
            for (let i = 0; i < part; i++)
              for (let j = 0; j < part; j++) {
                const [row, column] = turn(i, j) as [number, number];
                expect(parts[p * batch + b]![i]![j]).toEqual(
                  pixels[b]![view]![row]![mirrored ? size - 1 - column : column],
                );
              }
          p++;
        }
    expect(parts.length).toBe(p * batch);
  });

test("merging puts each image's parts side by side", () => {
  const x = tf.range(0, 2 * 3 * 4).reshape([6, 2, 2]); // 3 parts of 2 images
  const y = mergeParts({ parts: 3 }).apply(x) as tf.Tensor;
  expect(y.arraySync()).toEqual([
    [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19],
    [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23],
  ]);
});

test("gradients go back to the pixels they came from", () => {
  const x = wave([2, 1, 5, 5, 1]);
  const f = (t: tf.Tensor): tf.Tensor => mergeParts({ parts: 8 }).apply(split(t, 3)) as tf.Tensor;
  const w = wave([2, 72], 40);
  const g = tf.grad((t) => tf.sum(tf.mul(f(t), w)))(x);
  // Linear, so the gradient is the transposed map: <f(e), w> = <e, g> for any e.
  const e = wave([2, 1, 5, 5, 1], 77);
  expect(tf.sum(tf.mul(e, g)).dataSync()).toBeAllClose(tf.sum(tf.mul(f(e), w)).dataSync(), {
    rtol: 1e-5,
    atol: 1e-5,
  });
});

test("trains inside a sequential model, survives saving, leaks nothing", async () => {
  const model = tf.sequential({
    layers: [
      splitParts({ partSize: 5, inputShape: [2, 7, 7, 1] }),
      tf.layers.conv2d({
        filters: 3,
        kernelSize: 3,
        kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      }),
      mergeParts({ parts: 16 }),
      tf.layers.dense({ units: 2, kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
    ],
  });
  expect(model.layers.map((layer) => layer.outputShape)).toEqual([
    [null, 5, 5, 1],
    [null, 3, 3, 3],
    [null, 432],
    [null, 2],
  ]);
  const [x, y] = [wave([6, 2, 7, 7, 1]), wave([6, 2], 3)];
  expect((model.predict(x, { batchSize: 4 }) as tf.Tensor).shape).toEqual([6, 2]);
  expect(await reloadError(model, x)).toBe(0);
  model.compile({ optimizer: tf.train.adam(0.003), loss: "meanSquaredError" });
  const { history } = await model.fit(x, y, { epochs: 30, shuffle: false, verbose: 0 });
  expect(history.loss!.at(-1)).toBeLessThan(0.5 * (history.loss![0] as number));
  expect(leaked(50, () => (model.apply(x) as tf.Tensor).dispose())).toBe(0);
});

test("says what is wrong", () => {
  expect(() => splitParts({ partSize: 0 })).toThrow(
    "splitParts: expected an integer of at least 1 for partSize but got 0",
  );
  expect(() => split(tf.ones([1, 2, 6, 5, 3]), 3)).toThrow(
    "splitParts: expected an input shape [batch, views, size, size, channels] but got [1,2,6,5,3]",
  );
  expect(() => split(tf.ones([1, 6, 6, 3]), 3)).toThrow(
    "splitParts: expected an input shape [batch, views, size, size, channels] but got [1,6,6,3]",
  );
  expect(() => split(tf.ones([1, 2, 6, 6, 3]), 7)).toThrow(
    "splitParts: expected views of at least 7 x 7 pixels but got 6 x 6",
  );
  expect(() => mergeParts({ parts: 0 })).toThrow(
    "mergeParts: expected an integer of at least 1 for parts but got 0",
  );
  expect(() => mergeParts({ parts: 16 }).apply(tf.ones([24, 5]))).toThrow(
    "mergeParts: expected a multiple of 16 parts on the batch axis but got 24",
  );
  expect(() => mergeParts({ parts: 2 }).computeOutputShape([null, null, 3])).toThrow(
    "mergeParts: expected an input shape [parts * batch, ...] with every axis after the batch known but got [null,null,3]",
  );
});
