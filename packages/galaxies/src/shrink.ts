import type { NdArray } from "ndarray";
import ndarray from "ndarray";

/**
 * Shrinks an image by a whole factor: each output pixel is the mean of factor x factor source pixels, rounded half up.
 * The area mean is the anti-aliasing that reading every factor-th pixel lacks.
 *
 * @param image uint8 [height, width, channels], any strides; both sides must be multiples of `factor`
 */
export function shrink(image: NdArray<Uint8Array>, factor: number): NdArray<Uint8Array> {
  const [height, width, channels] = image.shape as [number, number, number];
  if (!(image.data instanceof Uint8Array) || image.shape.length !== 3)
    throw new RangeError(
      `shrink: expected uint8 [height, width, channels] for image but got ${image.dtype} [${image.shape.join(", ")}]`,
    );
  if (!Number.isInteger(factor) || factor < 1 || height % factor !== 0 || width % factor !== 0)
    throw new RangeError(
      `shrink: expected an integer that divides ${height} and ${width} for factor but got ${factor}`,
    );
  const { data, offset } = image;
  const [rowStride, columnStride, channelStride] = image.stride as [number, number, number];
  const out = new Uint8Array((height / factor) * (width / factor) * channels);
  const area = factor * factor;
  let o = 0;
  for (let y = 0; y < height; y += factor)
    for (let x = 0; x < width; x += factor)
      for (let c = 0; c < channels; c++) {
        let sum = area / 2;
        let row = offset + y * rowStride + x * columnStride + c * channelStride;
        for (let dy = 0; dy < factor; dy++, row += rowStride)
          for (let dx = 0, at = row; dx < factor; dx++, at += columnStride) sum += data[at]!;
        out[o++] = sum / area; // storing truncates
      }
  return ndarray(out, [height / factor, width / factor, channels]);
}
