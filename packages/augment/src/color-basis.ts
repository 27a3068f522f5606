import { checkImage, expected, expectedNumber } from "./_check.ts";
import { symmetricEigen } from "./_eigen.ts";
import { type Image, unitScale } from "./image.ts";

/** The directions in which the colours of a set of images vary, strongest first. */
export interface ColorBasis {
  /** One vector a component, one number a channel, on the 0..1 scale and as long as one standard deviation. */
  readonly components: readonly (readonly number[])[];
}

/** The one vector (R, G, B) in the code of Galaxy Zoo's winner, S. Dieleman; he drew its factor with `std` 0.5. */
export const DIELEMAN_COLOR: ColorBasis = Object.freeze({
  components: Object.freeze([Object.freeze([-0.0148366, -0.01253134, -0.01040762])]),
});

/**
 * Principal components of the pixels of all images: unit eigenvectors of the channels' covariance
 * times the square roots of their eigenvalues (after Krizhevsky et al., NIPS 2012, section 4.1).
 * Images are read one at a time, so a generator over any number of them will do.
 *
 * @throws TypeError or RangeError for no image, differing channel counts, more components than channels, or pixels that
 * are NaN or infinite
 */
export function fitColor(
  images: Iterable<Image>,
  options: {
    /** How many components to keep; all of them if left out. */
    readonly components?: number;
  } = {},
): ColorBasis {
  if (typeof (images as Partial<Iterable<Image>> | undefined)?.[Symbol.iterator] !== "function")
    throw expected("fitColor", "a list of images", "images", images);
  let moments: Moments | undefined;
  for (const image of images) {
    checkImage("fitColor", "an image", image);
    moments ??= emptyMoments(image.shape[2]!);
    if (image.shape[2] !== moments.channels)
      throw expected("fitColor", `${moments.channels} channels`, "an image", image, RangeError);
    addPixels(moments, image);
  }
  if (!moments) throw new RangeError("fitColor: expected at least one image but got none");
  const { channels, products } = moments;
  if (!products.every(Number.isFinite))
    throw new RangeError(
      "fitColor: expected finite pixels for images but got NaN or infinite ones",
    );
  const { components = channels } = options;
  if (!(Number.isInteger(components) && components >= 1 && components <= channels))
    throw expectedNumber("fitColor", `an integer from 1 to ${channels}`, "components", components);

  const strongest = symmetricEigen(covariance(moments)).slice(0, components);
  return {
    components: strongest.map(({ value, vector }) => {
      const deviation = Math.sqrt(Math.max(0, value)); // a constant image may round to below 0
      return vector.map((x) => x * deviation);
    }),
  };
}

interface Moments {
  readonly channels: number;
  count: number;
  readonly sum: Float64Array; // [channels]
  readonly products: Float64Array; // [channels, channels], the sums of v_i v_j for j <= i
}

function emptyMoments(channels: number): Moments {
  const products = new Float64Array(channels * channels);
  return { channels, count: 0, sum: new Float64Array(channels), products };
}

function addPixels(moments: Moments, image: Image): void {
  const { channels, sum, products } = moments;
  const data: Uint8Array | Uint8ClampedArray | Float32Array = image.data;
  const scale = unitScale(data);
  const [height, width] = image.shape as [number, number];
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
  moments.count += height * width;
}

function covariance({ channels, count, sum, products }: Moments): number[][] {
  return Array.from(sum, (a, i) =>
    Array.from(sum, (b, j) => {
      const product = products[Math.max(i, j) * channels + Math.min(i, j)]!;
      return product / count - (a / count) * (b / count);
    }),
  );
}
