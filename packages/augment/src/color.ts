import ndarray, { type NdArray } from "ndarray";
import { checkFinite, checkImage, checkOut, expected } from "./_check.ts";
import type { ColorBasis } from "./color-basis.ts";
import { type Image, unitScale } from "./image.ts";
import type { Rng } from "./rng.ts";

/**
 * A random colour: the sum of the components, each times its own Gaussian number of this standard
 * deviation. One offset per channel, on the 0..1 scale, for `addColor`.
 */
export function sampleColor(rng: Rng, basis: ColorBasis, std: number): number[] {
  if (!(std >= 0 && std < Infinity))
    throw expected("sampleColor", "a finite number >= 0", "std", std);
  const offsets = new Array<number>(basis.components[0]?.length ?? 0).fill(0);
  for (const component of basis.components) {
    const alpha = rng.normal(0, std);
    component.forEach((x, channel) => {
      offsets[channel]! += alpha * x;
    });
  }
  return offsets;
}

/** Options of `addColor`. */
export interface AddColorOptions {
  /** Whether to bring the result back into 0..1 (the default), as Dieleman did and Krizhevsky did not. */
  readonly clip?: boolean;
  /** A float32 ndarray of the image's shape to write into; may be the image itself. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * Adds one offset per channel to every pixel.
 *
 * @returns float32 [height, width, channels], bytes scaled to 0..1; `out` if given
 * @throws TypeError for an image, offsets or `out` that do not fit together
 */
export function addColor(
  image: Image,
  offsets: readonly number[],
  options: AddColorOptions = {},
): NdArray<Float32Array> {
  checkImage("addColor", "image", image);
  const { clip = true } = options;
  const [height, width, channels] = image.shape as [number, number, number];
  if (offsets.length !== channels)
    throw expected("addColor", `${channels} numbers`, "offsets", offsets);
  offsets.forEach((offset) => {
    checkFinite("addColor", "an offset", offset);
  });
  if (options.out) checkOut("addColor", options.out, image.shape);
  const out = options.out ?? ndarray(new Float32Array(image.size), [...image.shape]);

  const data: Uint8Array | Uint8ClampedArray | Float32Array = image.data;
  const scale = unitScale(data);
  const [rowStride, pixelStride, channelStride] = image.stride as [number, number, number];
  const [outRow, outPixel, outChannel] = out.stride as [number, number, number];
  const target = out.data;
  for (let channel = 0; channel < channels; channel++) {
    const offset = offsets[channel]!;
    for (let y = 0; y < height; y++) {
      let p = image.offset + y * rowStride + channel * channelStride;
      let o = out.offset + y * outRow + channel * outChannel;
      for (let x = 0; x < width; x++, p += pixelStride, o += outPixel) {
        const value = data[p]! * scale + offset;
        target[o] = !clip ? value : value < 0 ? 0 : value > 1 ? 1 : value;
      }
    }
  }
  return out;
}
