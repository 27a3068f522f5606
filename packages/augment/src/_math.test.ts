import { expect, test } from "vitest";
import { cosDegrees, exp, log, sinDegrees } from "./_math.ts";

test("sine and cosine are exact at multiples of 90 degrees, and never -0", () => {
  for (let k = -9; k <= 9; k++) {
    expect(sinDegrees(90 * k)).toBe([0, 1, 0, -1][((k % 4) + 4) % 4]);
    expect(cosDegrees(90 * k)).toBe([1, 0, -1, 0][((k % 4) + 4) % 4]);
  }
});

test("sine and cosine agree with Math's to the rounding of the radians, 3e-15", () => {
  const degrees = Array.from({ length: 2001 }, (_, i) => (i - 1000) * 0.7123);
  const radians = degrees.map((d) => (d * Math.PI) / 180);
  expect(degrees.map(sinDegrees)).toBeAllClose(radians.map(Math.sin), { rtol: 0, atol: 3e-15 });
  expect(degrees.map(cosDegrees)).toBeAllClose(radians.map(Math.cos), { rtol: 0, atol: 3e-15 });
  expect(sinDegrees(1e-9)).toBeCloseTo(Math.PI / 180e9, 26);
});

test("logarithm and exponential agree with Math's to the last bits", () => {
  const xs = Array.from({ length: 2000 }, (_, i) => 1.03 ** (i - 1000) * 1.0001);
  expect(xs.map(log)).toBeAllClose(xs.map(Math.log), { rtol: 4e-16, atol: 0 });
  const ys = Array.from({ length: 2001 }, (_, i) => (i - 1000) * 0.0501);
  expect(ys.map(exp)).toBeAllClose(ys.map(Math.exp), { rtol: 4e-16, atol: 0 });
  expect([log(1), exp(0), log(2 ** -53)]).toEqual([0, 1, -53 * Math.LN2]);
});

test("logarithm and exponential of any size come back at once", () => {
  expect([exp(-1e12), exp(-746), exp(710), exp(1e12), exp(Infinity)]).toEqual([
    0,
    0,
    Infinity,
    Infinity,
    Infinity,
  ]);
  expect(exp(Number.NaN)).toBeNaN();
  expect([exp(-740), exp(709.7)]).toBeAllClose([4.2e-322, Math.exp(709.7)], { rtol: 2e-2 });
  expect(log(2 ** -1074)).toBeCloseTo(-1074 * Math.LN2, 12);
});
