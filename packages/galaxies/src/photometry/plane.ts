import type { NdArray } from "ndarray";

/** One channel of an image, [height, width] with any strides: bytes 0..255 or floats 0..1. */
export type Channel = NdArray<Uint8Array> | NdArray<Uint8ClampedArray> | NdArray<Float32Array>;

/** Float32 pixels, row by row. */
export interface Plane {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A copy on the 0..1 scale. */
export function toPlane(channel: Channel): Plane {
  const [height, width] = channel.shape as [number, number];
  const [rowStride, columnStride] = channel.stride as [number, number];
  const { data: from, offset } = channel;
  const data = new Float32Array(height * width);
  const unit = from instanceof Float32Array ? 1 : 255;
  for (let y = 0, i = 0; y < height; y++) {
    let at = offset + y * rowStride;
    for (let x = 0; x < width; x++, i++, at += columnStride) data[i] = from[at]! / unit;
  }
  return { data, width, height };
}
