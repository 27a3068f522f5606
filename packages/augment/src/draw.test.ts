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

test("a zoom from a range is log-uniform between its ends", () => {
  const rng = createRng(3);
  const zooms = Array.from({ length: 4000 }, () => sampleDraw(rng, { zoom: [0.5, 8] }).zoom);
  expect(Math.min(...zooms)).toBeGreaterThanOrEqual(0.5);
  expect(Math.max(...zooms)).toBeLessThan(8);
  // A fourth in each doubling; standard deviation 27 of 1,000.
  for (const from of [0.5, 1, 2, 4])
    expect(Math.abs(zooms.filter((z) => z >= from && z < 2 * from).length - 1000)).toBeLessThan(
      110,
    );
  expect(sampleDraw(rng, { zoom: [1.2, 1.2] }).zoom).toBe(1.2);
});

test("arguments are checked", () => {
  const sample = (ranges: object) => () => sampleDraw(createRng(1), ranges as DrawRanges);
  const what = "a finite number >= 1 or [min, max] with 0 < min <= max";
  expect(sample({ zoom: 0.9 })).toThrow(`sampleDraw: expected ${what} for zoom but got 0.9`);
  for (const zoom of [Number.NaN, Infinity, [0, 1], [2, 1], [1, Infinity], [1e-300, 1e300]])
    expect(sample({ zoom })).toThrow(RangeError);
  for (const zoom of ["2", null, [1], [1, 2, 3], ["1", "2"]])
    expect(sample({ zoom })).toThrow(TypeError);
  expect(sample({ flip: 0.5 })).toThrow("sampleDraw: expected a boolean for flip but got 0.5");
  expect(sample({ rotation: 30 })).toThrow(
    new TypeError("sampleDraw: expected [min, max] with min <= max for rotation but got 30"),
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
  const affine =
    (draw: object, ofSize: object = size) =>
    () =>
      affineFromDraw({ ...identityDraw, ...draw }, ofSize as typeof size);
  expect(affine({ zoom: 0 })).toThrow(
    "affineFromDraw: expected a positive number for zoom but got 0",
  );
  expect(affine({ rotation: Number.NaN })).toThrow(
    "affineFromDraw: expected a finite number for rotation but got NaN",
  );
  expect(affine({ shear: undefined })).toThrow(
    new TypeError("affineFromDraw: expected a finite number for shear but got undefined"),
  );
  expect(affine({ translation: undefined })).toThrow(
    "affineFromDraw: expected [x, y] for translation but got undefined",
  );
  expect(affine({ translation: [0, Infinity] })).toThrow(
    "affineFromDraw: expected a finite number for translation but got Infinity",
  );
  expect(affine({ flip: 1 })).toThrow("affineFromDraw: expected a boolean for flip but got 1");
  expect(affine({}, {})).toThrow(
    "affineFromDraw: expected a positive integer for width but got undefined",
  );
  expect(affine({}, { width: 4, height: -4 })).toThrow(
    "affineFromDraw: expected a positive integer for height but got -4",
  );
});
