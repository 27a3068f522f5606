import ndarray, { type NdArray } from "ndarray";
import { expect, test } from "vitest";
import { addNoise } from "./noise.ts";
import { createRng } from "./rng.ts";

const grey = () => ndarray(new Float32Array(60 * 50 * 3).fill(0.5), [60, 50, 3]);

test("adds the stream's normal numbers in the order row, column, channel", () => {
  const bytes = ndarray(Uint8Array.of(0, 51, 102, 153, 204, 255), [1, 2, 3]);
  const rng = createRng(3, 1);
  const numbers = Array.from({ length: 6 }, () => rng.normal());
  const out = addNoise(createRng(3, 1), bytes, 0.1, { clip: false });
  expect(out.shape).toEqual([1, 2, 3]);
  expect(out.data).toBeAllClose(
    numbers.map((z, i) => 0.2 * i + 0.1 * z),
    { rtol: 0, atol: 1e-7 },
  );
  const clipped = addNoise(createRng(3, 1), bytes, 0.1);
  expect([...clipped.data]).toEqual([...out.data].map((v) => Math.min(1, Math.max(0, v))));
  expect([...clipped.data]).not.toEqual([...out.data]);
});

test("has mean 0 and the standard deviation asked for, and no value is its neighbour's", () => {
  const values = addNoise(createRng(1), grey(), 0.05).data.map((v) => v - 0.5);
  const mean = (of: (i: number) => number) =>
    values.reduce((sum, _, i) => sum + of(i), 0) / values.length;
  // Standard errors over 9,000 values: 0.0005, 0.7 %, and 0.01 for a correlation.
  expect(Math.abs(mean((i) => values[i]!))).toBeLessThan(0.002);
  const variance = mean((i) => values[i]! ** 2);
  expect(Math.abs(Math.sqrt(variance) / 0.05 - 1)).toBeLessThan(0.03);
  for (const lag of [1, 3, 150])
    expect(Math.abs(mean((i) => values[i]! * (values[i + lag] ?? 0)) / variance)).toBeLessThan(
      0.04,
    );
});

test("the same seed gives the same noise whatever the strides, in place too", () => {
  const planes = ndarray(new Float32Array(60 * 50 * 3).fill(0.5), [3, 60, 50]).transpose(1, 2, 0);
  const out = addNoise(createRng(7), planes, 0.1, { out: planes });
  expect(out).toBe(planes);
  const packed = addNoise(createRng(7), grey(), 0.1);
  const values = packed.data.map((_, i) =>
    planes.get(Math.floor(i / 150), Math.floor(i / 3) % 50, i % 3),
  );
  expect(values).toEqual(packed.data);
  expect(addNoise(createRng(8), grey(), 0.1).data).not.toEqual(packed.data);
  expect(addNoise(createRng(7), grey(), 0).data).toEqual(grey().data);
});

test("arguments are checked", () => {
  const rng = createRng(1);
  expect(() => addNoise(rng, grey(), -1)).toThrow(
    "addNoise: expected a finite number >= 0 for std but got -1",
  );
  expect(() => addNoise(rng, ndarray(new Float32Array(4), [2, 2]), 0.1)).toThrow(
    "for image but got float32 [2, 2]",
  );
  const out = ndarray(new Float32Array(3), [1, 1, 3]) as NdArray<Float32Array>;
  expect(() => addNoise(rng, grey(), 0.1, { out })).toThrow(
    "addNoise: expected a float32 ndarray [60, 50, 3] for out but got float32 [1, 1, 3]",
  );
});
