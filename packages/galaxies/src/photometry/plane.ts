import type { NdArray } from "ndarray";

/** One channel of an image, [height, width] with any strides: bytes 0..255 or floats 0..1. */
export type Channel =
  | NdArray<Uint8Array>
  | NdArray<Uint8ClampedArray>
  | NdArray<Float32Array>
  | NdArray<Float64Array>;

/** Float32 pixels, row by row. */
export interface Plane {
  readonly data: Float32Array;
  /** What `data` was made from, where that was bytes. */
  readonly bytes?: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The pixels that an image of bytes can have, on the 0..1 scale. */
export const BYTE_LEVELS: Float32Array = Float32Array.from(
  { length: 256 },
  (_, byte) => byte / 255,
);

/**
 * A copy on the 0..1 scale, for `detectSources`.
 * @throws TypeError for an image that is not two-dimensional, has no pixels or is of another type (16 bits have no scale of
 * their own), RangeError for a pixel that is NaN or infinite
 */
export function toPlane(channel: Channel): Plane {
  if (channel.shape.length !== 2 || channel.size === 0)
    throw new TypeError(
      `detectSources: expected an image [height, width] for channel but got shape [${channel.shape.join(", ")}]`,
    );
  const [height, width] = channel.shape as [number, number];
  const [rowStride, columnStride] = channel.stride as [number, number];
  const { data: from, offset } = channel;
  const isBytes = from instanceof Uint8Array || from instanceof Uint8ClampedArray;
  if (!isBytes && !(from instanceof Float32Array || from instanceof Float64Array))
    throw new TypeError(
      `detectSources: expected uint8, float32 or float64 pixels for channel but got ${(channel as NdArray).dtype}`,
    );
  const data = new Float32Array(height * width);
  const bytes = isBytes ? new Uint8Array(data.length) : undefined;
  for (let y = 0, i = 0; y < height; y++) {
    let at = offset + y * rowStride;
    if (bytes)
      for (let x = 0; x < width; x++, i++, at += columnStride) {
        const byte = from[at]!;
        bytes[i] = byte;
        data[i] = BYTE_LEVELS[byte]!;
      }
    else for (let x = 0; x < width; x++, i++, at += columnStride) data[i] = from[at]!;
  }
  if (bytes) return { data, bytes, width, height };
  checkFinite(data, width);
  return { data, width, height };
}

/** One NaN (surveys mask pixels so) would silence its cell of the background, and with it the whole image. */
function checkFinite(data: Float32Array, width: number): void {
  for (let i = 0; i < data.length; i++)
    if (!Number.isFinite(data[i]))
      throw new RangeError(
        `detectSources: expected finite pixels for channel but got ${data[i]} in row ${Math.floor(i / width)}, column ${i % width}`,
      );
}
