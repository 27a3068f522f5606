import type { Canvas } from "./canvas.ts";
import type { Optics } from "./stars.ts";

/** Where no light is above this, in sky noises, there is nothing to blur that anyone could see. */
const VISIBLE = 0.25;

/**
 * Blurs what has been drawn by the atmosphere: a Gaussian of the optics' full width at half
 * maximum, moved by each band's offset, as two passes of one dimension over the rectangle that
 * holds visible light.
 */
export function blur(canvas: Canvas, optics: Optics): void {
  const sigma = optics.fwhm / 2.3548;
  const { size } = canvas;
  const reach = Math.ceil(2.8 * sigma + 0.5);
  const { x0, x1, y0, y1 } = litRectangle(canvas, reach);
  if (x1 < x0) return;
  const width = x1 - x0 + 1;
  const scratch = new Float32Array((y1 - y0 + 1) * width);
  for (let k = 0; k < 3; k++) {
    const band = canvas.bands[k]!;
    const [dx, dy] = optics.offsets[k]!;
    const across = kernel(sigma, dx, reach);
    const down = kernel(sigma, dy, reach);
    const taps = across.length;
    for (let y = y0; y <= y1; y++) {
      const to = (y - y0) * width;
      for (let x = 0; x < width; x++) {
        let sum = 0;
        let p = y * size + x0 + x - reach;
        for (let t = 0; t < taps; t++) sum += across[t]! * band[p++]!;
        scratch[to + x] = sum;
      }
    }
    // The rows at the rectangle's own edges lack neighbours in it; they stay as they were drawn.
    for (let y = y0 + reach; y <= y1 - reach; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        let p = (y - y0 - reach) * width + x;
        for (let t = 0; t < taps; t++) {
          sum += down[t]! * scratch[p]!;
          p += width;
        }
        band[y * size + x0 + x] = sum;
      }
    }
  }
}

/** The visible light's rectangle, widened by the blur's reach, with that much left at the edges. */
function litRectangle(
  canvas: Canvas,
  reach: number,
): { x0: number; x1: number; y0: number; y1: number } {
  const { size, bands } = canvas;
  let [x0, x1, y0, y1] = [size, -1, size, -1];
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      if (bands[1][y * size + x]! > VISIBLE) {
        if (x < x0) x0 = x;
        if (x > x1) x1 = x;
        if (y < y0) y0 = y;
        y1 = y;
      }
  return {
    x0: Math.max(reach, x0 - reach),
    x1: Math.min(size - 1 - reach, x1 + reach),
    y0: Math.max(0, y0 - 2 * reach),
    y1: Math.min(size - 1, y1 + 2 * reach),
  };
}

/** Gaussian weights at the integers around an offset, their sum 1, to be applied as a correlation. */
function kernel(sigma: number, offset: number, reach: number): Float64Array {
  const weights = new Float64Array(2 * reach + 1);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.exp(-0.5 * ((i - reach + offset) / sigma) ** 2);
    total += weights[i]!;
  }
  return weights.map((w) => w / total);
}
