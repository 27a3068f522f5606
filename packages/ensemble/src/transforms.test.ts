import { expect, test } from "vitest";
import { transforms, WINNER_TRANSFORMS } from "./transforms.ts";

test("the winner's 60 transforms come in his order: zoom, angle, plain before mirrored", () => {
  const expected = [];
  for (const zoom of [1 / 1.2, 1.0, 1.2])
    for (let rotation = 0; rotation <= 324; rotation += 36)
      for (const flip of [false, true])
        expected.push({ zoom, rotation, shear: 0, translation: [0, 0], flip });
  expect(WINNER_TRANSFORMS).toHaveLength(60);
  expect(WINNER_TRANSFORMS).toEqual(expected);
});

test("nothing of the winner's transforms can be changed for everyone else", () => {
  const [first] = WINNER_TRANSFORMS;
  for (const part of [WINNER_TRANSFORMS, first, first!.translation])
    expect(Object.isFrozen(part)).toBe(true);
});

test("any product of lists, translations changing fastest", () => {
  const draws = transforms({
    zooms: [1, 2],
    translations: [
      [0, 0],
      [-3, 4.5],
    ],
  });
  expect(draws).toEqual([
    { zoom: 1, rotation: 0, shear: 0, translation: [0, 0], flip: false },
    { zoom: 1, rotation: 0, shear: 0, translation: [-3, 4.5], flip: false },
    { zoom: 2, rotation: 0, shear: 0, translation: [0, 0], flip: false },
    { zoom: 2, rotation: 0, shear: 0, translation: [-3, 4.5], flip: false },
  ]);
});

test("nothing asked for is the one transform that changes nothing", () => {
  const nothing = [{ zoom: 1, rotation: 0, shear: 0, translation: [0, 0], flip: false }];
  expect(transforms()).toEqual(nothing);
  expect(transforms({})).toEqual(nothing);
});

test("wrong lists and values are named", () => {
  expect(() => transforms({ zooms: [] })).toThrow(
    "transforms: expected a list of positive numbers for zooms but got []",
  );
  expect(() => transforms({ zooms: [1, 0] })).toThrow(
    "transforms: expected positive numbers for zooms but got 0",
  );
  expect(() => transforms({ rotations: [Number.NaN] })).toThrow(
    "transforms: expected finite degrees for rotations but got NaN",
  );
  expect(() => transforms({ flips: [1 as unknown as boolean] })).toThrow(
    "transforms: expected booleans for flips but got 1",
  );
  expect(() => transforms({ translations: [[1, Number.POSITIVE_INFINITY]] })).toThrow(
    "transforms: expected pairs of finite pixels for translations but got [1, Infinity]",
  );
  expect(() => transforms({ rotations: 36 as unknown as number[] })).toThrow(
    "transforms: expected a list of finite degrees for rotations but got 36",
  );
});
