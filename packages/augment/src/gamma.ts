import ndarray, { type NdArray } from "ndarray";
import { checkImage, checkOut, expectedNumber } from "./_check.ts";
import { mapValues } from "./_map.ts";
import { exp, log } from "./_math.ts";
import type { Image } from "./image.ts";
import type { Rng } from "./rng.ts";

/**
 * A random exponent for `applyGamma`, log-uniform in [1 / most, most): as often brighter as darker.
 *
 * @throws TypeError or RangeError for a `most` that is not a finite number >= 1
 */
export function sampleGamma(rng: Rng, most: number): number {
  if (!(most >= 1 && most < Infinity))
    throw expectedNumber("sampleGamma", "a finite number >= 1", "most", most);
  return exp(rng.uniform(-1, 1) * log(most));
}

/** Options of `applyGamma`. */
export interface ApplyGammaOptions {
  /** A float32 ndarray of the image's shape to write into; may be the image itself. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * Gamma correction: every value v on the 0..1 scale becomes v^exponent, so that black and white stay; below 1 it shows
 * faint things brighter. Negative values become 0; NaN and Infinity stay.
 *
 * @returns float32 [height, width, channels], bytes scaled to 0..1; `out` if given
 * @throws TypeError or RangeError for an image or `out` that does not fit, or an exponent that is not a positive number
 */
export function applyGamma(
  image: Image,
  exponent: number,
  options: ApplyGammaOptions = {},
): NdArray<Float32Array> {
  checkImage("applyGamma", "image", image);
  if (!(exponent > 0 && exponent < Infinity))
    throw expectedNumber("applyGamma", "a positive number", "exponent", exponent);
  if (options.out) checkOut("applyGamma", options.out, image.shape);
  const out = options.out ?? ndarray(new Float32Array(image.size), [...image.shape]);
  // Not by `**`, whose last bits differ between engines.
  const power = (value: number) => exp(exponent * log(value));
  mapValues(image, out, (value) => (value <= 0 ? 0 : value < Infinity ? power(value) : value));
  return out;
}
