import type { Draw } from "@gz/augment";
import { show } from "./_check.ts";

/** What `transforms` combines; a list left out holds only the value that changes nothing. */
export interface TransformOptions {
  /** Zoom factors, above 0; 1.2 shows the object 1.2 times as large. Default `[1]`. */
  zooms?: readonly number[];
  /** Degrees. Default `[0]`. */
  rotations?: readonly number[];
  /** Whether to mirror. Default `[false]`. */
  flips?: readonly boolean[];
  /** Pixels [x, y]. Default `[[0, 0]]`. */
  translations?: readonly (readonly [x: number, y: number])[];
}

/**
 * Every combination of the given zooms, rotations, flips and translations as draws of @gz/augment
 * (`affineFromDraw` makes each an affine): the views of one image over which a prediction is
 * averaged at test time. The zoom changes slowest, then the rotation, the flip, the translation.
 *
 * Throws a TypeError or RangeError that names a list which is empty or holds a wrong value.
 */
export function transforms(options: TransformOptions = {}): Draw[] {
  const { zooms = [1], rotations = [0], flips = [false], translations = [[0, 0]] } = options;
  checkList("zooms", zooms, "positive numbers", (z) => Number.isFinite(z) && z > 0);
  checkList("rotations", rotations, "finite degrees", Number.isFinite);
  checkList("flips", flips, "booleans", (f) => typeof f === "boolean");
  checkList(
    "translations",
    translations,
    "pairs of finite pixels",
    (t) => Array.isArray(t) && t.length === 2 && t.every(Number.isFinite),
  );
  const draws: Draw[] = [];
  for (const zoom of zooms)
    for (const rotation of rotations)
      for (const flip of flips)
        for (const [x, y] of translations)
          draws.push({ zoom, rotation, shear: 0, translation: [x, y], flip });
  return draws;
}

/** The 60 transforms of S. Dieleman's winning solution: 3 zooms x 10 rotations x mirrored or not. */
export const WINNER_TRANSFORMS: readonly Draw[] = Object.freeze(
  transforms({
    zooms: [1 / 1.2, 1, 1.2],
    rotations: [0, 36, 72, 108, 144, 180, 216, 252, 288, 324],
    flips: [false, true],
  }).map((draw) => Object.freeze({ ...draw, translation: Object.freeze(draw.translation) })),
);

function checkList<T>(
  name: string,
  list: readonly T[],
  what: string,
  valid: (value: T) => boolean,
): void {
  if (!Array.isArray(list) || list.length === 0)
    throw new TypeError(`transforms: expected a list of ${what} for ${name} but got ${show(list)}`);
  for (const value of list)
    if (!valid(value))
      throw new RangeError(`transforms: expected ${what} for ${name} but got ${show(value)}`);
}
