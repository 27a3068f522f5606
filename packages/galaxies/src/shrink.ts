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
  if (image.shape.length !== 3)
    throw new RangeError(
      `shrink: expected an image [height, width, channels] but got shape [${image.shape.join(", ")}]`,
    );
  if (!Number.isInteger(factor) || factor < 1 || height % factor !== 0 || width % factor !== 0)
    throw new RangeError(
      `shrink: expected a whole factor that divides ${height} and ${width} but got ${factor}`,
    );
  const columns = width / factor;
  const out = new Uint8Array((height / factor) * columns * channels);
  const sums = new Uint32Array(columns * channels);
  const area = factor * factor;
  const half = area / 2;
  for (let y = 0; y < height; y += factor) {
    sums.fill(0);
    for (let dy = 0; dy < factor; dy++) addRow(sums, image, y + dy, factor);
    const row = (y / factor) * sums.length;
    for (let i = 0; i < sums.length; i++) out[row + i] = (sums[i]! + half) / area; // storing truncates
  }
  return ndarray(out, [height / factor, columns, channels]);
}

/** Adds row y of the image to the sums of its columns, `factor` neighbours to each. */
function addRow(sums: Uint32Array, image: NdArray<Uint8Array>, y: number, factor: number): void {
  const { data, shape, stride, offset } = image;
  const channels = shape[2]!;
  const columnStride = stride[1]!;
  const channelStride = stride[2]!;
  for (let c = 0; c < channels; c++) {
    let source = offset + y * stride[0]! + c * channelStride;
    for (let i = c; i < sums.length; i += channels)
      for (let dx = 0; dx < factor; dx++) {
        sums[i]! += data[source]!;
        source += columnStride;
      }
  }
}
