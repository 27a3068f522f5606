import { expected } from "./_check.ts";
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
  /** Largest magnification z >= 1; the zoom is log-uniform in [1 / z, z]. */
  readonly zoom?: number;
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
 * @throws TypeError for a zoom below 1, a negative translation, or a range that is not [min, max]
 */
export function sampleDraw(rng: Rng, ranges: DrawRanges): Draw {
  const { zoom, rotation, shear, translation: shift, flip } = ranges;
  if (zoom !== undefined && !(zoom >= 1 && zoom < Infinity))
    throw expected("sampleDraw", "a finite number >= 1", "zoom", zoom);
  if (shift !== undefined && !(shift >= 0 && shift < Infinity))
    throw expected("sampleDraw", "a finite number >= 0", "translation", shift);
  checkRange("rotation", rotation);
  checkRange("shear", shear);
  return {
    translation:
      shift === undefined ? [0, 0] : [rng.uniform(-shift, shift), rng.uniform(-shift, shift)],
    rotation: rotation === undefined ? 0 : rng.uniform(...rotation),
    shear: shear === undefined ? 0 : rng.uniform(...shear),
    flip: flip === true && rng.bool(),
    zoom: zoom === undefined ? 1 : exp(rng.uniform(-1, 1) * log(zoom)),
  };
}

/**
 * The affine of a draw for an image of this size, about its centre c:
 * T(t) T(c) R(rotation) Shear(shear) Flip Scale(1 / zoom) T(-c).
 *
 * @throws TypeError for a zoom that is not positive
 */
export function affineFromDraw(
  draw: Draw,
  size: { readonly width: number; readonly height: number },
): Affine {
  const { zoom } = draw;
  if (!(zoom > 0 && zoom < Infinity))
    throw expected("affineFromDraw", "a positive number", "zoom", zoom);
  const linear = compose(
    rotation(draw.rotation),
    shearing(draw.shear),
    draw.flip ? flip() : identity,
    scaling(1 / zoom),
  );
  return compose(
    translation(...draw.translation),
    about((size.width - 1) / 2, (size.height - 1) / 2, linear),
  );
}

function checkRange(name: string, range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const [min, max] = range;
  if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max))
    throw expected("sampleDraw", "[min, max] with min <= max", name, range);
}
