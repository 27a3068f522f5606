import ndarray, { type NdArray } from "ndarray";
import { expect, test } from "vitest";
import { addColor, sampleColor } from "./color.ts";
import { DIELEMAN_COLOR } from "./color-basis.ts";
import type { Image } from "./image.ts";
import { createRng } from "./rng.ts";

const image = ndarray(Uint8Array.of(0, 51, 102, 153, 204, 255), [1, 2, 3]);

test("offsets are added to every pixel on the 0..1 scale and clipped", () => {
  const out = addColor(image, [-0.1, 0.1, 0.2]);
  expect(out.shape).toEqual([1, 2, 3]);
  expect(out.data).toBeAllClose([0, 0.3, 0.6, 0.5, 0.9, 1]);
});

test("clipping can be left out", () => {
  const out = addColor(image, [-0.1, 0.1, 0.2], { clip: false });
  expect(out.data).toBeAllClose([-0.1, 0.3, 0.6, 0.5, 0.9, 1.2]);
});

test("an image of floats can be its own output, whatever its strides", () => {
  const planes = ndarray(Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), [3, 1, 2]);
  const floats = planes.transpose(1, 2, 0); // [1, 2, 3], channels apart
  expect(addColor(floats, [0, 0.1, -0.5], { out: floats })).toBe(floats);
  expect(planes.data).toBeAllClose([0.1, 0.2, 0.4, 0.5, 0, 0.1]);
});

test.each([true, false])("is byte for byte its formula, extremes too (clip: %s)", (clip) => {
  const extremes = [0, -0, 1, 1 + 2 ** -23, -(2 ** -149), 3e38, -3e38, Infinity, -Infinity, NaN];
  const floats = Float32Array.from(extremes.flatMap((x) => [x, x / 3, 1 - x]));
  const bytes = Uint8Array.from({ length: 30 }, (_, i) => 9 * i);
  for (const [data, scale] of [
    [floats, 1],
    [bytes, 1 / 255],
  ] as const)
    for (const offsets of [
      [0, -0, 0.5],
      [-0.25, 1e-9, 3e38],
    ]) {
      const expected = Float32Array.from(data, (x, i) => {
        const value = x * scale + offsets[i % 3]!;
        return clip && value < 0 ? 0 : clip && value > 1 ? 1 : value;
      });
      const image = ndarray(data, [2, 5, 3]) as Image;
      const batch = ndarray(new Float32Array(3 * 30), [3, 2, 5, 3]); // the second of three images
      const planes = ndarray(new Float32Array(30), [3, 2, 5]).transpose(1, 2, 0); // channels apart
      addColor(image, offsets, { clip, out: batch.pick(1) as NdArray<Float32Array> });
      addColor(image, offsets, { clip, out: planes });
      const values = Float32Array.from({ length: 30 }, (_, i) =>
        planes.get(Math.floor(i / 15), Math.floor(i / 3) % 5, i % 3),
      );
      for (const out of [addColor(image, offsets, { clip }).data, batch.data.slice(30, 60), values])
        expect(new Uint8Array(out.buffer)).toEqual(new Uint8Array(expected.buffer));
      expect(batch.data.filter((value) => value === 0).length).toBeGreaterThanOrEqual(60);
    }
});

test("a sampled colour is each component times its own normal number", () => {
  const basis = {
    components: [
      [1, 2, 3],
      [0, 10, 0],
    ],
  };
  const rng = createRng(4);
  const [alpha, beta] = [rng.normal(0, 0.5), rng.normal(0, 0.5)];
  const offsets = sampleColor(createRng(4), basis, 0.5);
  expect(offsets).toBeAllClose([alpha, 2 * alpha + 10 * beta, 3 * alpha], {
    atol: 1e-15,
    rtol: 1e-15,
  });
  expect(sampleColor(createRng(4), DIELEMAN_COLOR, 0)).toEqual([0, 0, 0]);
});

test("the winner's colour spreads by 1.89, 1.60, 1.33 of 255 grey levels", () => {
  const rng = createRng(1);
  const samples = Array.from({ length: 20_000 }, () => sampleColor(rng, DIELEMAN_COLOR, 0.5));
  const spread = [0, 1, 2].map(
    (c) => 255 * Math.sqrt(samples.reduce((sum, s) => sum + s[c]! ** 2, 0) / samples.length),
  );
  expect(spread).toBeAllClose([1.89, 1.6, 1.33], { rtol: 0.02 });
});

test("arguments are checked", () => {
  const flat = ndarray(new Uint8Array(6), [2, 3]);
  expect(() => addColor(flat, [0, 0, 0])).toThrow(
    "addColor: expected an ndarray [height, width, channels] of uint8 or float32 for image but got uint8 [2, 3]",
  );
  expect(() => addColor(image, [0, 0])).toThrow(
    "addColor: expected 3 numbers for offsets but got [0, 0]",
  );
  expect(() => addColor(image, [0, Number.NaN, 0])).toThrow(
    "addColor: expected a finite number for an offset but got NaN",
  );
  const out = ndarray(new Float32Array(3), [1, 1, 3]);
  expect(() => addColor(image, [0, 0, 0], { out })).toThrow(
    "addColor: expected a float32 ndarray [1, 2, 3] for out but got float32 [1, 1, 3]",
  );
  const short = ndarray(new Uint8Array(5), [1, 2, 3]);
  expect(() => addColor(short, [0, 0, 0])).toThrow(
    "addColor: expected data with the indices 0 to 5 for image but got 5 numbers",
  );
  expect(() => sampleColor(createRng(1), { components: [[1, 2, 3], [1]] }, 1)).toThrow(
    "sampleColor: expected vectors of one length for components but got [[1, 2, 3], [1]]",
  );
  expect(() => sampleColor(createRng(1), DIELEMAN_COLOR, -1)).toThrow(
    "sampleColor: expected a finite number >= 0 for std but got -1",
  );
});
