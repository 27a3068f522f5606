import ndarray from "ndarray";
import { expect, test } from "vitest";
import { applyGamma, sampleGamma } from "./gamma.ts";
import { createRng } from "./rng.ts";

test("values by hand: the root and the square, black and white stay", () => {
  const image = ndarray(Float32Array.of(0, 0.25, 1, 0.0625, -0.5, 0.5), [1, 2, 3]);
  expect(applyGamma(image, 0.5).data).toBeAllClose([0, 0.5, 1, 0.25, 0, Math.SQRT1_2]);
  expect(applyGamma(image, 2).data).toBeAllClose([0, 0.0625, 1, 0.00390625, 0, 0.25]);
  expect([...applyGamma(image, 1).data]).toEqual([0, 0.25, 1, 0.0625, 0, 0.5]);
});

test("all bytes agree with Math.pow to float32, whatever the strides, in place too", () => {
  const bytes = ndarray(
    Uint8Array.from({ length: 255 }, (_, i) => i + 1),
    [5, 17, 3],
  );
  for (const exponent of [0.3, 1.3, 4]) {
    const power = Float32Array.from(bytes.data, (v) => (v / 255) ** exponent);
    expect(applyGamma(bytes, exponent).data).toBeAllClose(power, { rtol: 1e-7, atol: 0 });
    const floats = ndarray(new Float32Array(255), [3, 5, 17]).transpose(1, 2, 0);
    for (let i = 0; i < 255; i++)
      floats.set(Math.floor(i / 51), Math.floor(i / 3) % 17, i % 3, bytes.data[i]! / 255);
    expect(applyGamma(floats, exponent, { out: floats })).toBe(floats);
    const values = Float32Array.from({ length: 255 }, (_, i) =>
      floats.get(Math.floor(i / 51), Math.floor(i / 3) % 17, i % 3),
    );
    expect(values).toBeAllClose(power, { rtol: 1e-6, atol: 0 });
  }
});

test("values that are no colours: NaN and Infinity stay, exponents of any size end", () => {
  const image = ndarray(Float32Array.of(Number.NaN, Infinity, -Infinity, -0, 0.5, 2), [1, 2, 3]);
  expect([...applyGamma(image, 2).data]).toEqual([Number.NaN, Infinity, 0, 0, 0.25, 4]);
  expect([...applyGamma(image, 1e9).data]).toEqual([Number.NaN, Infinity, 0, 0, 0, Infinity]);
});

test("exponents are log-uniform between 1 / most and most", () => {
  const rng = createRng(5);
  const logs = Array.from({ length: 4000 }, () => Math.log2(sampleGamma(rng, 2)));
  expect(Math.min(...logs)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...logs)).toBeLessThan(1);
  // A fourth in each quarter; standard deviation 27 of 1,000.
  for (const from of [-1, -0.5, 0, 0.5])
    expect(Math.abs(logs.filter((x) => x >= from && x < from + 0.5).length - 1000)).toBeLessThan(
      110,
    );
  expect(sampleGamma(rng, 1)).toBe(1);
});

test("arguments are checked", () => {
  const image = ndarray(new Uint8Array(3), [1, 1, 3]);
  expect(() => sampleGamma(createRng(1), 0.5)).toThrow(
    "sampleGamma: expected a finite number >= 1 for most but got 0.5",
  );
  expect(() => applyGamma(image, 0)).toThrow(
    "applyGamma: expected a positive number for exponent but got 0",
  );
  expect(() => applyGamma(ndarray(new Uint8Array(4), [2, 2]) as never, 1)).toThrow(
    "for image but got uint8 [2, 2]",
  );
  const out = ndarray(new Float32Array(4), [2, 2, 1]);
  expect(() => applyGamma(image, 1, { out })).toThrow(
    "applyGamma: expected a float32 ndarray [1, 1, 3] for out but got float32 [2, 2, 1]",
  );
});
