import { createRng } from "@gz/augment";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import golden from "../../test/fixtures/photometry.json" with { type: "json" };
import { renderGalaxy } from "../synthetic/render.ts";
import { sampleGalaxy } from "../synthetic/sample.ts";
import { detectSources, type Source } from "./sources.ts";

/** The images of test/fixtures/make_photometry.mjs. */
function greenChannel(seed: number) {
  const image = renderGalaxy(sampleGalaxy(createRng(seed)), { rng: createRng(seed, 1) });
  return image.pick(null, null, 1);
}

// SExtractor itself, over 8 synthetic galaxies and what lies around them. What differs is chance: which of two neighbours
// gets a faint pixel, and so in part what is cleaned away.
test.each([2, 10] as const)("finds what SExtractor finds above %d sigma", (threshold) => {
  const all = golden[`${threshold}`].reduce((sum, { sources }) => sum + sources.length, 0);
  let [sameShape, samePetrosian] = [0, 0];
  golden.seeds.forEach((seed, i) => {
    const { count, sources } = golden[`${threshold}`][i]!;
    const found = detectSources(greenChannel(seed), { threshold });
    expect(Math.abs(found.length - count)).toBeLessThanOrEqual(Math.max(1, 0.03 * count));
    for (const wanted of sources) {
      const nearest = found.reduce((a, b) => (distance(a, wanted) < distance(b, wanted) ? a : b));
      expect(distance(nearest, wanted)).toBeLessThan(0.001);
      const shape = [nearest.a / wanted.a - 1, nearest.b / wanted.b - 1];
      if (shape.every((error) => Math.abs(error) < 0.002)) sameShape++;
      if (Math.abs(nearest.petrosian / wanted.petrosian - 1) < 0.002) samePetrosian++;
    }
    // The galaxy itself, larger than the rest.
    const [largest, wanted] = [found, sources].map((list) =>
      list.reduce((a, b) => (a.area > b.area ? a : b)),
    ) as [Source, Source];
    expect([largest.x, largest.y]).toBeAllClose([wanted.x, wanted.y], { rtol: 0, atol: 2e-4 });
    expect([largest.a, largest.b]).toBeAllClose([wanted.a, wanted.b], { rtol: 2e-3 });
    expect(Math.abs(largest.theta - wanted.theta)).toBeLessThan(0.1);
    expect(largest.petrosian).toBeCloseTo(wanted.petrosian, 4);
    for (const what of ["kron", "flux", "area"] as const)
      expect(Math.abs(largest[what] / wanted[what] - 1)).toBeLessThan(0.01);
  });
  expect(sameShape).toBeGreaterThanOrEqual(0.77 * all);
  expect(samePetrosian).toBeGreaterThanOrEqual(0.97 * all);
});

function distance(a: Source, b: Source): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

test("floats of 0..1 of either precision, bytes and any strides give the same sources", () => {
  const bytes = greenChannel(4);
  const [height, width] = bytes.shape as [number, number];
  const floats = ndarray(new Float32Array(height * width), [height, width]);
  const turned = ndarray(new Float64Array(height * width), [width, height]).transpose(1, 0);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      floats.set(y, x, bytes.get(y, x) / 255);
      turned.set(y, x, bytes.get(y, x) / 255);
    }
  const sources = detectSources(bytes, { threshold: 10 });
  expect(detectSources(floats, { threshold: 10 })).toEqual(sources);
  expect(detectSources(turned, { threshold: 10 })).toEqual(sources);
  expect(sources.length).toBe(2);
});

test("an empty sky has no sources", () => {
  const rng = createRng(1);
  const data = Float32Array.from({ length: 200 * 200 }, () => 0.1 + rng.normal(0, 0.01));
  expect(detectSources(ndarray(data, [200, 200]), { threshold: 4 })).toEqual([]);
  expect(detectSources(ndarray(new Uint8Array(100 * 100), [100, 100]))).toEqual([]);
  for (const shape of [
    [1, 1],
    [1, 65],
    [65, 1],
  ])
    expect(detectSources(ndarray(new Uint8Array(shape[0]! * shape[1]!).fill(9), shape))).toEqual(
      [],
    );
});

test("says what is wrong with its arguments", () => {
  const image = ndarray(new Float32Array(100), [10, 10]);
  expect(() => detectSources(ndarray(new Float32Array(300), [10, 10, 3]))).toThrow(
    "detectSources: expected an image [height, width] for channel but got shape [10, 10, 3]",
  );
  for (const value of [Number.NaN, Infinity]) {
    const masked = ndarray(new Float32Array(100), [10, 10]);
    masked.set(3, 7, value);
    expect(() => detectSources(masked)).toThrow(
      `detectSources: expected finite pixels for channel but got ${value} in row 3, column 7`,
    );
  }
  // types that have no scale, which were taken for bytes and so for darkness
  for (const data of [new Uint16Array(100), new Int32Array(100), new Array(100).fill(0.5)]) {
    const other = ndarray(data as unknown as Float32Array, [10, 10]);
    expect(() => detectSources(other)).toThrow(
      `detectSources: expected uint8, float32 or float64 pixels for channel but got ${other.dtype}`,
    );
  }
  expect(() => detectSources(image, { threshold: 0 })).toThrow(
    "detectSources: expected a positive number for threshold but got 0",
  );
  expect(() => detectSources(image, { minArea: 2.5 })).toThrow(
    "detectSources: expected a positive integer for minArea but got 2.5",
  );
});
