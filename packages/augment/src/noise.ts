import ndarray, { type NdArray } from "ndarray";
import { checkImage, checkOut, expectedNumber } from "./_check.ts";
import { mapValues } from "./_map.ts";
import type { Image } from "./image.ts";
import type { Rng } from "./rng.ts";

/** Options of `addNoise`. */
export interface AddNoiseOptions {
  /** Whether to bring the result back into 0..1 (the default). */
  readonly clip?: boolean;
  /** A float32 ndarray of the image's shape to write into; may be the image itself. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * Adds Gaussian noise of this standard deviation, on the 0..1 scale, to every value: numbers of their own for each pixel
 * and channel, drawn in the order row, column, channel whatever the image's strides.
 *
 * @returns float32 [height, width, channels], bytes scaled to 0..1; `out` if given
 * @throws TypeError or RangeError for an image or `out` that does not fit, or a standard deviation that is negative or
 * not finite
 */
export function addNoise(
  rng: Rng,
  image: Image,
  std: number,
  options: AddNoiseOptions = {},
): NdArray<Float32Array> {
  checkImage("addNoise", "image", image);
  if (!(std >= 0 && std < Infinity))
    throw expectedNumber("addNoise", "a finite number >= 0", "std", std);
  if (options.out) checkOut("addNoise", options.out, image.shape);
  const { clip = true } = options;
  const out = options.out ?? ndarray(new Float32Array(image.size), [...image.shape]);
  mapValues(image, out, (value) => {
    const noisy = value + rng.normal(0, std);
    return !clip ? noisy : noisy < 0 ? 0 : noisy > 1 ? 1 : noisy;
  });
  return out;
}
