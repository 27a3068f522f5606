import ndarray, { type NdArray } from "ndarray";
import { checkFinite, checkImage, checkOut, expected } from "./_check.ts";
import { symmetricEigen } from "./_eigen.ts";
import { type Image, unitScale } from "./image.ts";
import type { Rng } from "./rng.ts";

/** The directions in which the colours of a set of images vary, strongest first. */
export interface ColorBasis {
  /** One vector a component, one number a channel, on the 0..1 scale and as long as one standard deviation. */
  readonly components: readonly (readonly number[])[];
}

/** The one vector of the Galaxy Zoo winner's code (R, G, B); he drew its factor with `std` 0.5. */
export const DIELEMAN_COLOR: ColorBasis = Object.freeze({
  components: [[-0.0148366, -0.01253134, -0.01040762]],
});

/**
 * Principal components of the pixels of all images (Krizhevsky et al., NIPS 2012, section 4.1):
 * unit eigenvectors of the channels' covariance times the square roots of their eigenvalues.
 * Images are read one at a time, so a generator over any number of them does.
 *
 * @throws TypeError for no image, or images of differing channel counts
 */
export function fitColor(images: Iterable<Image>): ColorBasis {
  let channels = 0;
  let count = 0;
  let sum = new Float64Array();
  let products = new Float64Array(); // [channels, channels], sums of v_i v_j
  for (const image of images) {
    checkImage("fitColor", "an image", image);
    const [height, width, depth] = image.shape as [number, number, number];
    if (count === 0) {
      channels = depth;
      sum = new Float64Array(channels);
      products = new Float64Array(channels * channels);
    }
    if (depth !== channels) throw expected("fitColor", `${channels} channels`, "an image", image);
    const data: Uint8Array | Uint8ClampedArray | Float32Array = image.data;
    const scale = unitScale(data);
    const [rowStride, columnStride, channelStride] = image.stride as [number, number, number];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const p = image.offset + y * rowStride + x * columnStride;
        for (let i = 0; i < channels; i++) {
          const v = data[p + i * channelStride]! * scale;
          sum[i]! += v;
          for (let j = 0; j <= i; j++)
            products[i * channels + j]! += v * data[p + j * channelStride]! * scale;
        }
      }
    count += height * width;
  }
  if (count === 0) throw new TypeError("fitColor: expected at least one image but got none");

  const covariance = Array.from(sum, (_, i) =>
    Array.from(sum, (_, j) => {
      const product = products[Math.max(i, j) * channels + Math.min(i, j)]!;
      return product / count - (sum[i]! / count) * (sum[j]! / count);
    }),
  );
  return {
    components: symmetricEigen(covariance).map(({ value, vector }) => {
      const deviation = Math.sqrt(Math.max(0, value)); // a constant image rounds to just below 0
      return vector.map((x) => x * deviation);
    }),
  };
}

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
  for (let channel = 0; channel < channels; channel++) {
    const offset = offsets[channel]!;
    for (let y = 0; y < height; y++) {
      let p = image.offset + y * image.stride[0]! + channel * image.stride[2]!;
      let o = out.offset + y * out.stride[0]! + channel * out.stride[2]!;
      for (let x = 0; x < width; x++) {
        const value = data[p]! * scale + offset;
        out.data[o] = clip ? Math.min(1, Math.max(0, value)) : value;
        p += image.stride[1]!;
        o += out.stride[1]!;
      }
    }
  }
  return out;
}
