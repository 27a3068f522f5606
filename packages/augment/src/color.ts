import ndarray, { type NdArray } from "ndarray";
import { checkFinite, checkImage, checkOut, expected, expectedNumber } from "./_check.ts";
import type { ColorBasis } from "./color-basis.ts";
import { type Image, unitScale } from "./image.ts";
import type { Rng } from "./rng.ts";

/**
 * A random colour: the sum of the components, each times its own Gaussian number of this standard
 * deviation. One offset per channel, on the 0..1 scale, for `addColor`.
 *
 * @throws TypeError or RangeError for components of different lengths, or a standard deviation that is
 * negative or not finite
 */
export function sampleColor(rng: Rng, basis: ColorBasis, std: number): number[] {
  if (!(std >= 0 && std < Infinity))
    throw expectedNumber("sampleColor", "a finite number >= 0", "std", std);
  const { components } = basis;
  const offsets = new Array<number>(components[0]?.length ?? 0).fill(0);
  if (components.some(({ length }) => length !== offsets.length))
    throw expected("sampleColor", "vectors of one length", "components", components, RangeError);
  for (const component of components) {
    const alpha = rng.normal(0, std);
    component.forEach((x, channel) => {
      offsets[channel]! += alpha * x;
    });
  }
  return offsets;
}

type Numbers = Uint8Array | Uint8ClampedArray | Float32Array;

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
 * @throws TypeError or RangeError for an image, offsets or `out` that do not fit together
 */
export function addColor(
  image: Image,
  offsets: readonly number[],
  options: AddColorOptions = {},
): NdArray<Float32Array> {
  checkImage("addColor", "image", image);
  const { clip = true } = options;
  const channels = image.shape[2]!;
  if (offsets.length !== channels)
    throw expected("addColor", `${channels} numbers`, "offsets", offsets, RangeError);
  offsets.forEach((offset) => {
    checkFinite("addColor", "an offset", offset);
  });
  if (options.out) checkOut("addColor", options.out, image.shape);
  const out = options.out ?? ndarray(new Float32Array(image.size), [...image.shape]);

  if (channels === 3 && isPacked(image) && isPacked(out)) {
    const start = image.offset;
    const pixels = image.data.subarray(start, start + image.size);
    const target = out.data.subarray(out.offset, out.offset + image.size);
    (clip ? addClipped : addPlain)(pixels, target, offsets as [number, number, number]);
  } else addStrided(image, offsets, clip, out);
  return out;
}

/** Whether the pixels follow each other without gaps, rows from top to bottom. */
function isPacked({ shape, stride }: NdArray): boolean {
  const [, width, channels] = shape as [number, number, number];
  return stride[0] === width * channels && stride[1] === channels && stride[2] === 1;
}

// Packed colours in one pass, half the time of a pass for each channel; two loops, since the question whether to clip
// costs as much as the sum.

function addClipped(data: Numbers, target: Float32Array, offsets: [number, number, number]): void {
  const scale = unitScale(data);
  const [r, g, b] = offsets;
  for (let i = 0; i < target.length; i += 3) {
    const red = data[i]! * scale + r;
    const green = data[i + 1]! * scale + g;
    const blue = data[i + 2]! * scale + b;
    target[i] = red < 0 ? 0 : red > 1 ? 1 : red;
    target[i + 1] = green < 0 ? 0 : green > 1 ? 1 : green;
    target[i + 2] = blue < 0 ? 0 : blue > 1 ? 1 : blue;
  }
}

function addPlain(data: Numbers, target: Float32Array, offsets: [number, number, number]): void {
  const scale = unitScale(data);
  const [r, g, b] = offsets;
  for (let i = 0; i < target.length; i += 3) {
    target[i] = data[i]! * scale + r;
    target[i + 1] = data[i + 1]! * scale + g;
    target[i + 2] = data[i + 2]! * scale + b;
  }
}

function addStrided(
  image: Image,
  offsets: readonly number[],
  clip: boolean,
  out: NdArray<Float32Array>,
): void {
  const [height, width, channels] = image.shape as [number, number, number];
  const data: Numbers = image.data;
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
}
