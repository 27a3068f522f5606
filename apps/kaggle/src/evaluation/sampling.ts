/**
 * Bilinear sampling of a square canvas as a sparse matrix, so that its transpose carries gradients back from the views
 * to the canvas. Canvas and views hold 3 channels, row-major; beyond its edge the canvas repeats its edge pixels.
 */
import type { Affine } from "@gz/augment";

/** Four canvas pixels and their weights for every pixel of the views. */
export interface Sampling {
  /** Side of the canvas, pixels. */
  canvas: number;
  /** Pixels of all views. */
  pixels: number;
  /** [pixels, 4] */
  index: Uint32Array;
  weight: Float32Array;
}

/** @param affines from a view's pixels to those of the canvas, one a view of size x size pixels. */
export function planSampling(affines: readonly Affine[], size: number, canvas: number): Sampling {
  const pixels = affines.length * size * size;
  const index = new Uint32Array(4 * pixels);
  const weight = new Float32Array(4 * pixels);
  const inside = (value: number) => Math.min(canvas - 1, Math.max(0, value));
  let at = 0;
  for (const [a, b, c, d, e, f] of affines)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++) {
        const x = inside(a * column + b * row + c);
        const y = inside(d * column + e * row + f);
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const [right, bottom] = [inside(left + 1), inside(top + 1)];
        const [u, v] = [x - left, y - top];
        index.set(
          [
            top * canvas + left,
            top * canvas + right,
            bottom * canvas + left,
            bottom * canvas + right,
          ],
          at,
        );
        weight.set([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v], at);
        at += 4;
      }
  return { canvas, pixels, index, weight };
}

/** The views of a canvas, [pixels, 3] into `views`. */
export function sample(
  { pixels, index, weight }: Sampling,
  canvas: Float32Array,
  views: Float32Array,
): void {
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let k = 4 * pixel; k < 4 * pixel + 4; k++)
        sum += weight[k]! * canvas[3 * index[k]! + channel]!;
      views[3 * pixel + channel] = sum;
    }
}

/** The transpose: gradients of the views, [pixels, 3], summed where they came from; `gradient` is overwritten. */
export function sampleGradient(
  { pixels, index, weight }: Sampling,
  views: Float32Array,
  gradient: Float32Array,
): void {
  gradient.fill(0);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let k = 4 * pixel; k < 4 * pixel + 4; k++)
      for (let channel = 0; channel < 3; channel++)
        gradient[3 * index[k]! + channel]! += weight[k]! * views[3 * pixel + channel]!;
}
