import { affineFromDraw, apply, compose, identityDraw, rotation, scaling } from "@gz/augment";
import { expect, test } from "vitest";
import { centreDraw, chooseGalaxy } from "./centre.ts";
import type { Source } from "./sources.ts";

const size = { width: 424, height: 424 };
const source = (fields: Partial<Source>): Source => ({
  ...{ x: 211.5, y: 211.5, a: 10, b: 8, theta: 0, kron: 4, petrosian: 5, area: 500, flux: 9 },
  ...fields,
});

test("chooses the large source near the middle", () => {
  const small = source({ a: 6, b: 5 });
  const near = source({ a: 20, b: 12, x: 240, y: 220 });
  const far = source({ a: 30, b: 22, x: 380, y: 211.5 });
  // pi a b exp(-d^2 / 5000): 94, 623 and 7.1
  expect(chooseGalaxy([small, near, far], size)).toBe(near);
  expect(chooseGalaxy([far, small], size)).toBe(small);
  expect(chooseGalaxy([], size)).toBeUndefined();
});

test("brings the galaxy to the middle and its radius to 160 pixels", () => {
  const galaxy = source({ x: 230.25, y: 190.5, a: 30, petrosian: 5 });
  const affine = affineFromDraw(centreDraw(galaxy, size), size);
  expect(apply(affine, 211.5, 211.5)).toEqual([230.25, 190.5]);
  const [x, y] = apply(affine, 211.5 + 160, 211.5);
  expect(x - 230.25).toBeCloseTo(150, 10);
  expect(y).toBe(190.5);
});

// Numbers of the winner's training set: its first galaxy, as his SExtractor measured it, under zoom 1.2, rotation 30,
// translation (2, -3), seen in his first view. Computed with his augmentation code's matrices.
test("goes before any other draw, as the winner's", () => {
  const galaxy = { x: 211.927, y: 215.121, a: 30.689, petrosian: 5.28 };
  const centre = centreDraw(galaxy, size);
  expect(centre.zoom).toBeCloseTo(0.9874231908, 9);
  const draw = { ...identityDraw, zoom: 1.2, rotation: 30, translation: [2, -3] as const };
  const view = compose([1, 0, 109.5, 0, 1, 109.5], scaling(3), rotation(0));
  const affine = compose(affineFromDraw(centre, size), affineFromDraw(draw, size), view);
  const [a, b, c, d, e, f] = affine;
  expect([a, b, c]).toBeAllClose([2.1926399234, -1.26592125, 182.444039105], { rtol: 1e-8 });
  expect([d, e, f]).toBeAllClose([1.26592125, 2.1926399234, 94.491709105], { rtol: 1e-8 });
});

test("enlarges and shrinks within limits, and leaves an image without a galaxy alone", () => {
  expect(centreDraw(source({ a: 5 }), size).zoom).toBe(1.5);
  expect(centreDraw(source({ a: 100 }), size).zoom).toBe(1 / 1.5);
  expect(centreDraw(source({ a: 100 }), { ...size, limit: 4 }).zoom).toBeCloseTo(0.32, 12);
  expect(centreDraw(source({ a: 40 }), { ...size, radius: 170 }).zoom).toBeCloseTo(0.85, 12);
  expect(centreDraw(undefined, size)).toEqual(identityDraw);
});

test("says what is wrong with its arguments", () => {
  expect(() => centreDraw(undefined, { ...size, radius: 0 })).toThrow(
    "centreDraw: expected a positive number for radius but got 0",
  );
  expect(() => centreDraw(undefined, { ...size, limit: 0.5 })).toThrow(
    "centreDraw: expected a finite number >= 1 for limit but got 0.5",
  );
  expect(() => centreDraw(source({}), { ...size, width: Number.NaN })).toThrow(
    "centreDraw: expected a positive number for width but got NaN",
  );
  expect(() => centreDraw(source({}), { width: 424 } as typeof size)).toThrow(
    "centreDraw: expected a positive number for height but got undefined",
  );
});
