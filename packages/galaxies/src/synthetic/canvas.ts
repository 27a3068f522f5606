/**
 * The survey camera's pixel grid, on which light is added before the atmosphere, noise and the
 * colour stretch. Flux is in units of the sky noise of one camera pixel; x right, y down.
 */
export interface Canvas {
  /** Pixels on a side. */
  size: number;
  /** Frame pixels (of 424) in one camera pixel. */
  magnification: number;
  /** Red, green and blue light, each [size, size]. */
  bands: readonly [Float32Array, Float32Array, Float32Array];
}

/** Flux in red, green and blue; a mean of 1 where it only says the colour. */
export type Rgb = readonly [r: number, g: number, b: number];

const FRAME = 424;
// Pixels beyond the frame's edge, which blur and resampling reach for.
const MARGIN = 4;

/** An empty canvas for the whole frame and a little around it. */
export function createCanvas(magnification: number): Canvas {
  const size = Math.ceil(FRAME / magnification) + 2 * MARGIN;
  const band = (): Float32Array => new Float32Array(size * size);
  return { size, magnification, bands: [band(), band(), band()] };
}

/** Camera pixel of a point of the frame: the frames' centres coincide. */
export function toCamera(canvas: Canvas, frame: number): number {
  return (frame - (FRAME - 1) / 2) / canvas.magnification + (canvas.size - 1) / 2;
}

/** Colour of starlight: 0 blue (young) to 1 red (old), as the survey's i, r, g filters show it. */
export function starlight(colour: number): Rgb {
  const t = Math.min(1, Math.max(0, colour));
  // From blue, 0.8 : 0.94 : 1.26, over white to red, 1.34 : 1.03 : 0.63.
  const r = 0.8 + 0.54 * t;
  const b = 1.26 - 0.63 * t;
  return [r, 3 - r - b, b];
}

/** The pixel rows and columns within `radius` of a point, cut at the canvas's edges. */
export function around(
  canvas: Canvas,
  x: number,
  y: number,
  radius: number,
): { x0: number; x1: number; y0: number; y1: number } {
  const last = canvas.size - 1;
  return {
    x0: Math.max(0, Math.ceil(x - radius)),
    x1: Math.min(last, Math.floor(x + radius)),
    y0: Math.max(0, Math.ceil(y - radius)),
    y1: Math.min(last, Math.floor(y + radius)),
  };
}

/**
 * Adds a round Gaussian spot with a total flux; `sigma` and the position are in camera pixels. A
 * knot of young stars, a piece of a tidal tail.
 */
export function addSpot(
  canvas: Canvas,
  x: number,
  y: number,
  sigma: number,
  flux: number,
  rgb: Rgb,
): void {
  const { size, bands } = canvas;
  const { x0, x1, y0, y1 } = around(canvas, x, y, 3.2 * sigma + 1);
  if (x1 < x0 || y1 < y0) return;
  const k = -0.5 / (sigma * sigma);
  const peak = flux / (2 * Math.PI * sigma * sigma);
  const row = new Float32Array(x1 - x0 + 1);
  for (let i = x0; i <= x1; i++) row[i - x0] = Math.exp(k * (i - x) ** 2);
  for (let j = y0; j <= y1; j++) {
    const a = peak * Math.exp(k * (j - y) ** 2);
    for (let i = x0; i <= x1; i++) {
      const light = a * row[i - x0]!;
      const p = j * size + i;
      bands[0][p]! += light * rgb[0];
      bands[1][p]! += light * rgb[1];
      bands[2][p]! += light * rgb[2];
    }
  }
}
