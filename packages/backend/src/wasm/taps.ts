// Which pixels meet at a tap of a window (a filter's or a pool's) that slides over padded images.
import type * as tf from "@tensorflow/tfjs";

/** Sizes, strides and padding of a convolution or a pooling, as tfjs computes them. */
export type Geometry = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

interface Tap {
  /** Row and column in the window. */
  i: number;
  j: number;
  /** Images, rows and columns of the outputs whose window has this tap inside the image. */
  pixels: [number, number, number];
  /** In pixels: of the first of them, and of what lies under the tap there; then the strides of the latter. */
  outputOffset: number;
  inputOffset: number;
  inputStrides: [number, number, number];
}

/** Calls `visit` for every tap, row by row, that meets a pixel at all. */
export function forEachTap(g: Geometry, visit: (tap: Tap) => void): void {
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = g;
  for (let i = 0; i < g.filterHeight; i++)
    for (let j = 0; j < g.filterWidth; j++) {
      const rows = reached(outHeight, inHeight, strideHeight, i - padInfo.top);
      const columns = reached(outWidth, inWidth, strideWidth, j - padInfo.left);
      if (rows.last === rows.first || columns.last === columns.first) continue;
      const row = rows.first * strideHeight + i - padInfo.top;
      const column = columns.first * strideWidth + j - padInfo.left;
      visit({
        i,
        j,
        pixels: [g.batchSize, rows.last - rows.first, columns.last - columns.first],
        outputOffset: rows.first * outWidth + columns.first,
        inputOffset: row * inWidth + column,
        inputStrides: [inHeight * inWidth, strideHeight * inWidth, strideWidth],
      });
    }
}

/** Output positions, first to before last, whose input position (position * stride + shift) exists. */
export function reached(
  outputs: number,
  inputs: number,
  stride: number,
  shift: number,
): { first: number; last: number } {
  const first = Math.max(0, Math.ceil(-shift / stride));
  return { first, last: Math.max(first, Math.min(outputs, Math.ceil((inputs - shift) / stride))) };
}
