import fc from "fast-check";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import scipy from "../test/fixtures/warp.json" with { type: "json" };
import { type Affine, apply, compose, flip, identity, rotation, translation } from "./affine.ts";
import type { Image } from "./image.ts";
import { createRng } from "./rng.ts";
import { type WarpOptions, warp } from "./warp.ts";

const BORDERS = ["reflect", "edge", "constant", "wrap"] as const;
const noise = (height: number, width: number, channels: number): Image => {
  const rng = createRng(height, width, channels);
  const data = Uint8Array.from({ length: height * width * channels }, () => rng.int(256));
  return ndarray(data, [height, width, channels]);
};

test.each(scipy.cases)("SciPy agrees: $border border, image $shape, affine $affine", (known) => {
  const options = {
    height: scipy.height,
    width: scipy.width,
    border: known.border,
    fill: scipy.fill,
  };
  const image = ndarray(Uint8Array.from(known.image), known.shape);
  const out = warp(image, known.affine as unknown as Affine, options as WarpOptions);
  expect(out.shape).toEqual([scipy.height, scipy.width, known.shape[2]]);
  expect(out.data).toBeAllClose(known.expected, { rtol: 0, atol: 1e-7 });
});

test("the identity returns every byte / 255, rounded once", () => {
  const bytes = ndarray(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    [16, 16, 1],
  );
  expect(warp(bytes, identity).data).toEqual(Float32Array.from(bytes.data, (v) => v / 255));
});

test("borders follow one after the other as drawn", () => {
  const image = ndarray(Float32Array.of(1, 2, 3), [1, 3, 1]);
  const row = (border: (typeof BORDERS)[number]): number[] => [
    ...warp(image, translation(-4, 0), { width: 11, border, fill: 9 }).data,
  ];
  expect(row("reflect")).toEqual([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3]);
  expect(row("edge")).toEqual([1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3]);
  expect(row("constant")).toEqual([9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9]);
  expect(row("wrap")).toEqual([3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1]);
});

test("mirror indices as in scikit-image 0.9: -1 is 1, 424 is 422, 846 is 0, 847 is 1", () => {
  const columns = ndarray(
    Float32Array.from({ length: 424 }, (_, x) => x),
    [1, 424, 1],
  );
  const at = (x: number): number => warp(columns, translation(x, 0), { width: 1 }).get(0, 0, 0);
  expect([-1, 424, 425, 846, 847].map(at)).toEqual([1, 422, 421, 0, 1]);
});

test("quarter turns and mirrors move pixels without changing them", () => {
  const image = noise(4, 4, 3);
  const centred = (affine: Affine): Affine =>
    compose(translation(1.5, 1.5), affine, translation(-1.5, -1.5));
  const turned = warp(image, centred(rotation(90)));
  const mirrored = warp(image, centred(flip()));
  for (let y = 0; y < 4; y++)
    for (let x = 0; x < 4; x++)
      for (let c = 0; c < 3; c++) {
        expect(turned.get(y, x, c)).toBe(Math.fround(image.get(x, 3 - y, c) / 255));
        expect(mirrored.get(y, x, c)).toBe(Math.fround(image.get(y, 3 - x, c) / 255));
      }
});

test("a linear image is interpolated exactly", () => {
  const linear = ndarray(new Float32Array(20 * 30), [20, 30, 1]);
  for (let y = 0; y < 20; y++) for (let x = 0; x < 30; x++) linear.set(y, x, 0, 10 * y + x);
  const affine: Affine = [0.7, -0.3, 5.1, 0.4, 0.6, 2.7];
  const out = warp(linear, affine, { height: 15, width: 12 });
  for (let y = 0; y < 15; y++)
    for (let x = 0; x < 12; x++) {
      const [sourceX, sourceY] = apply(affine, x, y);
      expect(out.get(y, x, 0)).toBeCloseTo(10 * sourceY + sourceX, 4);
    }
});

// The fast loops (interleaved RGB inside the image) against the careful one, which a single output
// pixel at a time and a one-channel image take: they must agree bit for bit wherever the ends fall.
test("channels, rows and pixels are independent of one another", () => {
  const coefficient = fc.double({ min: -3, max: 3, noNaN: true });
  const shift = fc.double({ min: -10, max: 20, noNaN: true });
  const anyAffine = fc.tuple(coefficient, coefficient, shift, coefficient, coefficient, shift);
  const image = noise(11, 9, 3);
  fc.assert(
    fc.property(anyAffine, fc.constantFrom(...BORDERS), (affine, border) => {
      const out = warp(image, affine, { height: 6, width: 7, border });
      for (let c = 0; c < 3; c++) {
        const channel = image.lo(0, 0, c).hi(11, 9, 1) as Image;
        for (let y = 0; y < 6; y++)
          for (let x = 0; x < 7; x++) {
            const [sourceX, sourceY] = [
              affine[0] * x + (affine[1] * y + affine[2]),
              affine[3] * x + (affine[4] * y + affine[5]),
            ];
            const alone = warp(channel, translation(sourceX, sourceY), {
              height: 1,
              width: 1,
              border,
            });
            expect(out.get(y, x, c)).toBe(alone.get(0, 0, 0));
          }
      }
    }),
  );
});

test("bytes of any kind, floats and any strides give the same picture", () => {
  const image = noise(9, 7, 3);
  const affine: Affine = [0.8, 0.5, -2, -0.4, 0.9, 3];
  const expected = warp(image, affine).data;
  const bytes = image.data as Uint8Array;
  const clamped = ndarray(Uint8ClampedArray.from(bytes), [9, 7, 3]);
  expect(warp(clamped, affine).data).toEqual(expected);
  const floats = ndarray(
    Float32Array.from(bytes, (v) => v / 255),
    [9, 7, 3],
  );
  expect(warp(floats, affine).data).toBeAllClose(expected, { atol: 1e-7, rtol: 0 });

  const planes = ndarray(new Uint8Array(bytes.length), [3, 7, 9]).transpose(2, 1, 0).step(-1, 1, 1);
  for (let y = 0; y < 9; y++)
    for (let x = 0; x < 7; x++) for (let c = 0; c < 3; c++) planes.set(y, x, c, image.get(y, x, c));
  expect(warp(planes, affine).data).toEqual(expected);

  const channels = ndarray(new Uint8Array(9 * 7 * 5), [9, 7, 5]);
  for (let y = 0; y < 9; y++)
    for (let x = 0; x < 7; x++)
      for (let c = 0; c < 5; c++) channels.set(y, x, c, image.get(y, x, c % 3));
  const five = warp(channels, affine);
  expect(five.shape).toEqual([9, 7, 5]);
  expect(five.get(3, 4, 4)).toBe(warp(image, affine).get(3, 4, 1));
});

test("out is written in place, whatever its strides", () => {
  const image = noise(9, 7, 3);
  // Across the border on all sides: columns within and beyond are written by different loops.
  const affine: Affine = [1.9, 0.3, -2.2, -0.4, 2.1, -0.7];
  for (const interpolation of ["linear", "nearest"] as const) {
    const options = { height: 5, width: 6, interpolation };
    const expected = warp(image, affine, options);
    const batch = ndarray(new Float32Array(2 * 3 * 5 * 6), [2, 3, 5, 6]);
    const out = batch.pick(1).transpose(1, 2, 0); // [5, 6, 3], channels apart
    expect(warp(image, affine, { ...options, out })).toBe(out);
    const values = expected.data.map((_, i) =>
      out.get(Math.floor(i / 18), Math.floor(i / 3) % 6, i % 3),
    );
    expect(values).toEqual(expected.data);
    expect(batch.data.subarray(0, 90).every((v) => v === 0)).toBe(true);
  }
});

test("nearest takes one pixel's value whole, of two as near the one further right or down", () => {
  const labels = ndarray(Float32Array.of(0, 7, 0, 7, 7, 0), [2, 3, 1]);
  const half = warp(labels, translation(0.5, 0.5), { interpolation: "nearest", border: "edge" });
  expect([...half.data]).toEqual([7, 0, 0, 7, 0, 0]);
  expect([...warp(labels, translation(0.5, 0.5), { border: "edge" }).data]).toContain(5.25);
  // Pixels reach half a step around their centres, the border's too.
  const row = (border: (typeof BORDERS)[number]): number[] => [
    ...warp(ndarray(Float32Array.of(1, 2, 3), [1, 3, 1]), [0.5, 0, -1, 0, 0.9, 0.4], {
      width: 9,
      border,
      fill: 0.1,
      interpolation: "nearest",
    }).data,
  ];
  const fill = Math.fround(0.1);
  expect(row("constant")).toEqual([fill, 1, 1, 2, 2, 3, 3, fill, fill]);
  expect(row("reflect")).toEqual([2, 1, 1, 2, 2, 3, 3, 2, 2]);
  expect(row("wrap")).toEqual([3, 1, 1, 2, 2, 3, 3, 1, 1]);
  // Bytes on the 0..1 scale, all channels; what fills the border is on it already.
  const image = noise(4, 5, 3);
  const outside = { interpolation: "nearest", border: "constant", fill: 0.1 } as const;
  expect(warp(image, translation(-9, 0), outside).data.every((v) => v === fill)).toBe(true);
  expect(warp(image, translation(0.3, -0.3), { interpolation: "nearest" }).data).toEqual(
    warp(image, identity).data,
  );
});

test("out may lie beside the image in one buffer, not within it", () => {
  const buffer = new ArrayBuffer(2 * 4 * 48);
  const image = ndarray(new Uint8Array(buffer, 0, 48), [4, 4, 3]);
  const shared = (start: number) => ndarray(new Float32Array(buffer, start, 48), [4, 4, 3]);
  expect(warp(image, identity, { out: shared(48) }).shape).toEqual([4, 4, 3]);
  expect(() => warp(image, identity, { out: shared(44) })).toThrow(
    "warp: expected memory of its own for out but got the image's",
  );
  // The first rows of memory are the last of this one; `out` may begin where they end.
  const floats = ndarray(new Float32Array(buffer), [4, 4, 3]).step(-1, -1, 1);
  expect(warp(floats, identity, { out: shared(4 * 48) }).shape).toEqual([4, 4, 3]);
  expect(() => warp(floats, identity, { out: shared(4 * 47) })).toThrow(RangeError);
  const second = ndarray(floats.data, [4, 4, 3], [12, 3, 1], 48);
  expect(warp(second, identity, { out: shared(0) }).shape).toEqual([4, 4, 3]);
});

test("arguments are checked", () => {
  const image = noise(4, 4, 3);
  const what = "an ndarray [height, width, channels] of uint8 or float32";
  const bad =
    (value: unknown): (() => unknown) =>
    () =>
      warp(value as Image, identity);
  expect(bad(undefined)).toThrow(`warp: expected ${what} for image but got undefined`);
  expect(bad(new Uint8Array(9))).toThrow(`warp: expected ${what} for image but got a Uint8Array`);
  expect(bad(ndarray(new Float64Array(3), [1, 1, 3]))).toThrow(
    `for image but got float64 [1, 1, 3]`,
  );
  expect(bad(ndarray(new Uint8Array(0), [0, 4, 3]))).toThrow(`for image but got uint8 [0, 4, 3]`);
  const short = "warp: expected data with the indices";
  expect(bad(ndarray(new Uint8Array(47), [4, 4, 3]))).toThrow(
    new RangeError(`${short} 0 to 47 for image but got 47 numbers`),
  );
  expect(bad(ndarray(new Uint8Array(48), [4, 4, 3], [-12, 3, 1], 24))).toThrow(
    `${short} -12 to 35 for image but got 48 numbers`,
  );
  expect(() =>
    warp(image, identity, { out: ndarray(new Float32Array(48), [4, 4, 3], [12, 3, 1], 1) }),
  ).toThrow(`${short} 1 to 48 for out but got 48 numbers`);
  expect(() => warp(image, identity, { interpolation: "cubic" as "linear" })).toThrow(
    'warp: expected "linear", "nearest" for interpolation but got "cubic"',
  );
  expect(() => warp(image, [1, 0, Number.NaN, 0, 1, 0])).toThrow(
    "warp: expected six finite numbers for affine but got [1, 0, NaN, 0, 1, 0]",
  );
  expect(() => warp(image, identity, { height: 0 })).toThrow(
    "warp: expected a positive integer for height but got 0",
  );
  expect(() => warp(image, identity, { width: 1.5 })).toThrow(
    "warp: expected a positive integer for width but got 1.5",
  );
  expect(() => warp(image, identity, { fill: Infinity })).toThrow(
    "warp: expected a finite number for fill but got Infinity",
  );
  expect(() => warp(image, identity, { border: "mirror" as "edge" })).toThrow(
    'warp: expected "reflect", "edge", "constant", "wrap" for border but got "mirror"',
  );
  const out = ndarray(new Float32Array(12), [2, 2, 3]);
  expect(() => warp(image, identity, { out })).toThrow(
    "warp: expected a float32 ndarray [4, 4, 3] for out but got float32 [2, 2, 3]",
  );
});
