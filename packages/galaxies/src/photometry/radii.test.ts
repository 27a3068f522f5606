import { expect, test } from "vitest";
import { measureRadii } from "./radii.ts";
import { measureShape } from "./shape.ts";

const SIZE = 300;

/** A round profile in the middle, its moments taken over a disc of some radius. */
function profile(brightness: (radius: number) => number, radius: number) {
  const data = new Float32Array(SIZE * SIZE);
  const pixels: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const r = Math.hypot((i % SIZE) - 150, Math.floor(i / SIZE) - 150);
    data[i] = brightness(r);
    if (r < radius) pixels.push(i);
  }
  const plane = { data, width: SIZE, height: SIZE };
  const shape = measureShape({ light: plane, filtered: plane }, Int32Array.from(pixels), 0);
  return { plane, shape };
}

const nobody = () => new Int32Array(SIZE * SIZE).fill(-1);

test("an exponential disk: Kron's radius is 5 scale lengths, Petrosian's as its equation says", () => {
  const scale = 6;
  const { plane, shape } = profile((r) => Math.exp(-r / scale), 15);
  const { kron, petrosian } = measureRadii(plane, shape, nobody(), 0);
  // 2.5 times the mean radius of an exponential, 2 h, less what lies beyond 6 a.
  const reach = (6 * shape.a) / scale;
  const mean =
    (2 - Math.exp(-reach) * (reach ** 2 + 2 * reach + 2)) / (1 - Math.exp(-reach) * (reach + 1));
  expect(kron * shape.a).toBeCloseTo(2.5 * mean * scale, 1);
  // I(u) = 0.2 * mean I within u: exp(-u) u^2 / 2 = 0.2 (1 - (1 + u) exp(-u)), u = 3.63 (to a step of 0.3 a).
  expect(Math.abs(petrosian * shape.a - 2 * 3.63 * scale)).toBeLessThan(0.66 * shape.a);
});

test("a Gaussian: Kron's radius is the smallest that is given, 3.5", () => {
  const { plane, shape } = profile((r) => Math.exp((-r * r) / 50), 100);
  const { kron, petrosian } = measureRadii(plane, shape, nobody(), 0);
  expect(shape.a).toBeCloseTo(5, 3);
  expect(kron).toBe(3.5);
  // exp(-u) = 0.2 (1 - exp(-u)) / u at u = r^2 / 2 = 2.66: 2 r = 4.61, found in steps of 0.66
  expect(Math.abs(petrosian - 4.61)).toBeLessThan(0.68);
});

test("pixels of others are left out", () => {
  const { plane, shape } = profile((r) => Math.exp(-r / 6), 15);
  const alone = measureRadii(plane, shape, nobody(), 0);
  const owner = nobody();
  for (let i = 0; i < owner.length; i++)
    if (Math.hypot((i % SIZE) - 175, Math.floor(i / SIZE) - 150) < 8) {
      owner[i] = 1;
      plane.data[i] = 1;
    }
  const { kron, petrosian } = measureRadii(plane, shape, owner, 0);
  expect(kron).toBeCloseTo(alone.kron, 0);
  expect(petrosian).toBeCloseTo(alone.petrosian, 5);
  // As its own they would count.
  expect(measureRadii(plane, shape, owner, 1).kron).toBeGreaterThan(kron + 0.3);
});
