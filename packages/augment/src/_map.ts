import type { NdArray } from "ndarray";
import { type Image, unitScale } from "./image.ts";

/** out = f(value) for each value of an image, on the 0..1 scale, in the order row, column, channel; `out` may be the image. */
export function mapValues(
  image: Image,
  out: NdArray<Float32Array>,
  f: (value: number) => number,
): void {
  const [height, width, channels] = image.shape as [number, number, number];
  const [rowStride, pixelStride, channelStride] = image.stride as [number, number, number];
  const [outRow, outPixel, outChannel] = out.stride as [number, number, number];
  const data: Uint8Array | Uint8ClampedArray | Float32Array = image.data;
  const target = out.data;
  const scale = unitScale(data);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let p = image.offset + y * rowStride + x * pixelStride;
      let o = out.offset + y * outRow + x * outPixel;
      for (let c = 0; c < channels; c++, p += channelStride, o += outChannel)
        target[o] = f(data[p]! * scale);
    }
}
