import { checkBoolean, checkFinite, checkSize, expected, expectedNumber } from "./_check.ts";
import { exp, log } from "./_math.ts";
import {
  type Affine,
  about,
  compose,
  flip,
  identity,
  rotation,
  scaling,
  shearing,
  translation,
} from "./affine.ts";
import type { Rng } from "./rng.ts";

/** The random numbers behind one geometric augmentation: plain data that can be logged and replayed. */
export interface Draw {
  /** Magnification, the same on both axes; 2 shows things twice as large. */
  readonly zoom: number;
  /** Degrees, see `rotation`. */
  readonly rotation: number;
  /** Degrees, see `shearing`. */
  readonly shear: number;
  /** [x, y] in source pixels, neither turned nor zoomed. */
  readonly translation: readonly [x: number, y: number];
  /** Mirrors the output left and right, before all the rest. */
  readonly flip: boolean;
}

/** What may be drawn. Whatever is left out stays as in `identityDraw` and uses no random number. */
export interface DrawRanges {
  /** Largest magnification z >= 1, for a zoom that is log-uniform in [1 / z, z); or its ends, [min, max). */
  readonly zoom?: number | readonly [min: number, max: number];
  /** Degrees, uniform in [min, max). */
  readonly rotation?: readonly [min: number, max: number];
  /** Degrees, uniform in [min, max). */
  readonly shear?: readonly [min: number, max: number];
  /** Largest shift t >= 0 in source pixels; x and y uniform in [-t, t). */
  readonly translation?: number;
  /** Whether to toss a fair coin for a mirror image. */
  readonly flip?: boolean;
}

/** The draw that changes nothing. */
export const identityDraw: Draw = Object.freeze({
  zoom: 1,
  rotation: 0,
  shear: 0,
  translation: Object.freeze([0, 0] as const),
  flip: false,
});

/**
 * One draw from the ranges, in the order of Dieleman's code: shift x, shift y, rotation, shear,
 * mirror, zoom. His training used `{ zoom: 1.3, rotation: [0, 360], translation: 4, flip: true }`.
 *
 * @throws TypeError or RangeError for a zoom below 1, a negative translation, a range that is not
 * [min, max], or a flip that is not a boolean
 */
export function sampleDraw(rng: Rng, ranges: DrawRanges): Draw {
  const { zoom, rotation, shear, translation: shift, flip = false } = ranges;
  checkZoom(zoom);
  if (shift !== undefined && !(shift >= 0 && shift < Infinity))
    throw expectedNumber("sampleDraw", "a finite number >= 0", "translation", shift);
  checkRange("rotation", rotation);
  checkRange("shear", shear);
  checkBoolean("sampleDraw", "flip", flip);
  return {
    translation:
      shift === undefined ? [0, 0] : [rng.uniform(-shift, shift), rng.uniform(-shift, shift)],
    rotation: rotation === undefined ? 0 : rng.uniform(...rotation),
    shear: shear === undefined ? 0 : rng.uniform(...shear),
    flip: flip && rng.bool(),
    zoom: zoom === undefined ? 1 : sampleZoom(rng, zoom),
  };
}

// Two formulas, for a number keeps its bytes: [1 / z, z] would round otherwise.
function sampleZoom(rng: Rng, zoom: NonNullable<DrawRanges["zoom"]>): number {
  if (typeof zoom === "number") return exp(rng.uniform(-1, 1) * log(zoom));
  const [min, max] = zoom;
  return min * exp(rng.uniform(0, log(max / min)));
}

/**
 * The affine of a draw for an image of this size, about its centre c:
 * T(t) T(c) R(rotation) Shear(shear) Flip Scale(1 / zoom) T(-c).
 *
 * @throws TypeError or RangeError for a draw whose numbers are not finite, a zoom that is not positive,
 * or a size that is not of positive integers
 */
export function affineFromDraw(
  draw: Draw,
  size: { readonly width: number; readonly height: number },
): Affine {
  const { zoom, translation: shift } = draw;
  if (!(zoom > 0 && zoom < Infinity))
    throw expectedNumber("affineFromDraw", "a positive number", "zoom", zoom);
  checkFinite("affineFromDraw", "rotation", draw.rotation);
  checkFinite("affineFromDraw", "shear", draw.shear);
  if (!isPair(shift)) throw expected("affineFromDraw", "[x, y]", "translation", shift);
  for (const pixels of shift) checkFinite("affineFromDraw", "translation", pixels);
  checkBoolean("affineFromDraw", "flip", draw.flip);
  checkSize("affineFromDraw", "width", size.width);
  checkSize("affineFromDraw", "height", size.height);
  const linear = compose(
    rotation(draw.rotation),
    shearing(draw.shear),
    draw.flip ? flip() : identity,
    scaling(1 / zoom),
  );
  return compose(translation(...shift), about((size.width - 1) / 2, (size.height - 1) / 2, linear));
}

function checkRange(name: string, range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const what = "[min, max] with min <= max";
  const pair = isPair(range);
  if (!pair || !(range[0] <= range[1] && range[1] - range[0] < Infinity))
    throw expected("sampleDraw", what, name, range, pair ? RangeError : TypeError);
}

function checkZoom(zoom: DrawRanges["zoom"]): void {
  if (zoom === undefined) return;
  const what = "a finite number >= 1 or [min, max] with 0 < min <= max";
  const range = typeof zoom === "number" ? [1, zoom] : zoom; // a number's upper half, for the same question
  const pair = isPair(range);
  if (!pair || !(range[0] > 0 && range[0] <= range[1] && range[1] / range[0] < Infinity))
    throw expected("sampleDraw", what, "zoom", zoom, pair ? RangeError : TypeError);
}

function isPair(value: unknown): value is readonly [number, number] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "number")
  );
}
