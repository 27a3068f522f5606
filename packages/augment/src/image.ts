import type { NdArray } from "ndarray";

/**
 * An ndarray [height, width, channels] with any strides. Bytes are 0..255 (a canvas's
 * Uint8ClampedArray, sharp's Buffer), floats 0..1; what these functions return is always float32.
 */
export type Image = NdArray<Uint8Array> | NdArray<Uint8ClampedArray> | NdArray<Float32Array>;

/** What takes a stored value to the 0..1 scale. */
export function unitScale(data: Image["data"]): number {
  return data instanceof Float32Array ? 1 : 1 / 255;
}
