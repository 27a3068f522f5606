import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { gradients, leaked, reloadError, wave } from "../test/helpers.ts";
import { polarCoordinates } from "./polar.ts";

interface Golden {
  polarCoordinates: { shape: number[]; angles: number; radii: number; wrap: number; y: number[] }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../test/fixtures/scipy.json", import.meta.url), "utf8"),
) as Golden;

beforeAll(() => tf.setBackend("cpu"));

const run = (x: tf.Tensor, options: { angles: number; radii: number; wrap?: number }) =>
  polarCoordinates(options).apply(x) as tf.Tensor;

test.each(golden.polarCoordinates)(
  "$shape at $angles angles and $radii radii is SciPy's",
  (one) => {
    const { shape, y, ...options } = one;
    const out = run(wave(shape, 0, 0.3, 0.4), options);
    expect(out.shape).toEqual([shape[0], one.angles + 2 * one.wrap, one.radii, shape[3]]);
    expect(out.dataSync()).toBeAllClose(y, { rtol: 0, atol: 1e-6 });
  },
);

test("rows run from x to the right towards y down, columns from the middle outwards", () => {
  const side = Array.from({ length: 5 }, (_, i) => i);
  const image = tf.tensor(side.flatMap((y) => side.flatMap((x) => [x, y]))).reshape([1, 5, 5, 2]);
  const [rows] = run(image, { angles: 4, radii: 2 }).arraySync() as number[][][][];
  // Half a pixel and one and a half from (2, 2): right, down, left, up.
  expect(rows!.flat(2)).toBeAllClose([
    ...[2.5, 2, 3.5, 2],
    ...[2, 2.5, 2, 3.5],
    ...[1.5, 2, 0.5, 2],
    ...[2, 1.5, 2, 0.5],
  ]);
});

test("a quarter turn of the image is a shift by a quarter of the rows, which are closed", () => {
  const image = wave([1, 8, 8, 3]);
  const turned = tf.reverse(tf.transpose(image, [0, 2, 1, 3]), 2); // right to down
  const polar = run(image, { angles: 12, radii: 4 });
  const shifted = tf.concat([polar.slice([0, 9], [1, 3]), polar.slice([0, 0], [1, 9])], 1);
  expect(run(turned, { angles: 12, radii: 4 }).dataSync()).toBeAllClose(shifted.dataSync(), {
    atol: 1e-5,
  });
  const wrapped = run(image, { angles: 12, radii: 4, wrap: 2 });
  const closed = [polar.slice([0, 10], [1, 2]), polar, polar.slice([0, 0], [1, 2])];
  expect(wrapped.dataSync()).toBeAllClose(tf.concat(closed, 1).dataSync(), { atol: 1e-5 });
});

test("views are taken each by itself, as images are", () => {
  const images = wave([6, 5, 5, 3]);
  const options = { angles: 6, radii: 3 };
  const views = run(tf.reshape(images, [2, 3, 5, 5, 3]), options);
  expect(views.shape).toEqual([2, 3, 6, 3, 3]);
  expect(views.dataSync()).toEqual(run(images, options).dataSync());
});

test("gradients agree with finite differences", () => {
  const { tape, difference } = gradients(
    (x) => run(x, { angles: 5, radii: 3, wrap: 1 }),
    wave([2, 4, 4, 2]),
  );
  expect(tape).toBeAllClose(difference, { rtol: 2e-3, atol: 2e-3 });
});

test("survives saving, has no weights, takes images of any size, and leaks nothing", async () => {
  const options = { angles: 6, radii: 3, wrap: 1, inputShape: [null, null, 2] };
  const model = tf.sequential({ layers: [polarCoordinates(options)] });
  expect(model.countParams()).toBe(0);
  expect(model.outputs[0]!.shape).toEqual([null, 8, 3, 2]);
  expect(await reloadError(model, wave([2, 7, 7, 2]))).toBe(0);
  const [x, y] = [wave([2, 4, 4, 2]), wave([2, 6, 6, 2])];
  const both = () => tf.dispose([model.apply(x) as tf.Tensor, model.apply(y) as tf.Tensor]);
  expect(leaked(20, both)).toBe(0);
});

test("says what is wrong", () => {
  expect(() => polarCoordinates({ angles: 0, radii: 3 })).toThrow(
    "polarCoordinates: expected an integer of at least 1 for angles but got 0",
  );
  expect(() => polarCoordinates({ angles: 8, radii: 1.5 })).toThrow("for radii but got 1.5");
  expect(() => polarCoordinates({ angles: 8, radii: 3, wrap: -1 })).toThrow("for wrap but got -1");
  expect(() => run(tf.zeros([1, 4, 5, 3]), { angles: 8, radii: 3 })).toThrow(
    "polarCoordinates: expected an input shape [batch, ..., size, size, channels] but got [1,4,5,3]",
  );
});
