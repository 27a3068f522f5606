import fc from "fast-check";
import { expect, test } from "vitest";
import { identity } from "./affine.ts";
import { affineFromDraw, type Draw, type DrawRanges, identityDraw, sampleDraw } from "./draw.ts";
import { createRng } from "./rng.ts";

const size = { width: 424, height: 424 };
const winner: DrawRanges = { zoom: 1.3, rotation: [0, 360], translation: 4, flip: true };

// The formula of Dieleman's code as written: mirroring is 180 degrees more of both rotation and shear.
function dieleman(draw: Draw): number[] {
  const turn = draw.flip ? 180 : 0;
  const a = ((draw.rotation + turn) * Math.PI) / 180;
  const s = ((draw.shear + turn) * Math.PI) / 180;
  const [p, q] = [Math.cos(a) / draw.zoom, -Math.sin(a + s) / draw.zoom];
  const [r, t] = [Math.sin(a) / draw.zoom, Math.cos(a + s) / draw.zoom];
  const [tx, ty] = draw.translation;
  return [p, q, tx + 211.5 - 211.5 * (p + q), r, t, ty + 211.5 - 211.5 * (r + t)];
}

test("the affine of a draw is the winner's matrix", () => {
  const angle = fc.double({ min: -360, max: 720, noNaN: true });
  const shift = fc.double({ min: -20, max: 20, noNaN: true });
  const anyDraw: fc.Arbitrary<Draw> = fc.record({
    zoom: fc.double({ min: 0.5, max: 2, noNaN: true }),
    rotation: angle,
    shear: angle,
    translation: fc.tuple(shift, shift),
    flip: fc.boolean(),
  });
  fc.assert(
    fc.property(anyDraw, (draw) => {
      expect(affineFromDraw(draw, size)).toBeAllClose(dieleman(draw), { atol: 1e-9, rtol: 0 });
    }),
  );
});

test("the identity draw changes nothing", () => {
  expect(affineFromDraw(identityDraw, { width: 5, height: 8 })).toEqual(identity);
  expect(sampleDraw(createRng(1), {})).toEqual(identityDraw);
});

test("a draw turns about the centre of an image that is not square", () => {
  const halfTurn = { ...identityDraw, rotation: 180 };
  expect(affineFromDraw(halfTurn, { width: 5, height: 8 })).toEqual([-1, 0, 4, 0, -1, 7]);
});

test("numbers are drawn in the winner's order: shift x, shift y, rotation, shear, mirror, zoom", () => {
  const draw = sampleDraw(createRng(5, 6), { ...winner, shear: [-10, 10] });
  const rng = createRng(5, 6);
  expect(draw.translation).toEqual([rng.uniform(-4, 4), rng.uniform(-4, 4)]);
  expect(draw.rotation).toBe(rng.uniform(0, 360));
  expect(draw.shear).toBe(rng.uniform(-10, 10));
  expect(draw.flip).toBe(rng.bool());
  expect(draw.zoom).toBeCloseTo(1.3 ** rng.uniform(-1, 1), 14);
  expect(JSON.parse(JSON.stringify(draw))).toEqual(draw);
});

test("draws stay in their ranges and fill them", () => {
  const rng = createRng(8);
  const draws = Array.from({ length: 4000 }, () => sampleDraw(rng, winner));
  const share = (holds: (draw: Draw) => boolean): number =>
    draws.filter(holds).length / draws.length;
  const inRange = ({ zoom, rotation, translation: [x, y] }: Draw): boolean =>
    zoom >= 1 / 1.3 &&
    zoom <= 1.3 &&
    rotation >= 0 &&
    rotation < 360 &&
    Math.max(Math.abs(x), Math.abs(y)) <= 4;
  expect(share(inRange)).toBe(1);
  expect(Math.abs(share((d) => d.zoom < 1) - 0.5)).toBeLessThan(0.03); // log-uniform
  expect(Math.abs(share((d) => d.zoom > Math.sqrt(1.3)) - 0.25)).toBeLessThan(0.03);
  expect(Math.abs(share((d) => d.flip) - 0.5)).toBeLessThan(0.03);
  expect(Math.abs(share((d) => d.rotation < 90) - 0.25)).toBeLessThan(0.03);
  expect(Math.abs(share((d) => d.translation[1] < -2) - 0.25)).toBeLessThan(0.03);
});

test("arguments are checked", () => {
  const sample = (ranges: DrawRanges) => () => sampleDraw(createRng(1), ranges);
  expect(sample({ zoom: 0.9 })).toThrow(
    "sampleDraw: expected a finite number >= 1 for zoom but got 0.9",
  );
  expect(sample({ translation: -1 })).toThrow(
    "sampleDraw: expected a finite number >= 0 for translation but got -1",
  );
  expect(sample({ rotation: [1, 0] })).toThrow(
    "sampleDraw: expected [min, max] with min <= max for rotation but got [1, 0]",
  );
  expect(sample({ shear: [0, Infinity] })).toThrow(
    "sampleDraw: expected [min, max] with min <= max for shear but got [0, Infinity]",
  );
  expect(() => affineFromDraw({ ...identityDraw, zoom: 0 }, size)).toThrow(
    "affineFromDraw: expected a positive number for zoom but got 0",
  );
});
