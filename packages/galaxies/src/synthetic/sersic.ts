import { around, type Canvas, type Rgb } from "./canvas.ts";

/** A Sersic spheroid on the camera's grid, lengths in its pixels, the angle in degrees. */
export interface Spheroid {
  x: number;
  y: number;
  /** Effective radius along the major axis. */
  radius: number;
  sersic: number;
  axisRatio: number;
  angle: number;
  /** Isophotes are |x|^c + |y/q|^c = const with c = 2 + 2 boxiness. */
  boxiness: number;
  /** Total flux, to infinity. */
  flux: number;
}

/**
 * b_n, which makes the effective radius hold half of the light of exp(-b ((r/Re)^(1/n) - 1)):
 * the expansion of Ciotti & Bertin (1999); inside lies half of the light to 2e-4 at n = 0.7, and far
 * better above.
 */
export function sersicB(n: number): number {
  const i = 1 / n;
  return 2 * n - 1 / 3 + i * (4 / 405 + i * (46 / 25515 + i * (131 / 1148175)));
}

/** Light of a round profile of unit effective radius and unit intensity there. */
export function sersicTotal(n: number): number {
  const b = sersicB(n);
  return 2 * Math.PI * n * Math.exp(b) * b ** (-2 * n) * gamma(2 * n);
}

// Rows of the profile's table, evenly spaced in sqrt(r): fine in the cusp, coarse in the wings.
const ROWS = 2048;
// Pixels this near to the centre are the mean of SUB x SUB points: the cusp is narrower than a pixel.
const CORE = 4;
const SUB = 5;
/** Light fainter than this, in sky noises, is not drawn. */
const FAINTEST = 0.01;

/** Adds a spheroid: intensity exp(-b ((r / Re)^(1/n) - 1)) over its isophotes, down to what nobody could see. */
export function addSpheroid(canvas: Canvas, spheroid: Spheroid, rgb: Rgb): void {
  const { x, y, radius, sersic: n, axisRatio: q, boxiness, flux } = spheroid;
  if (!(flux > 0)) return;
  const b = sersicB(n);
  const c = 2 + 2 * boxiness;
  const ie = flux / (sersicTotal(n) * radius * radius * q * superellipseArea(c));
  const peak = ie * Math.exp(b);
  // exp(-b (r/Re)^(1/n)) = FAINTEST / peak
  const reach = radius * (Math.log(Math.max(peak / FAINTEST, Math.E)) / b) ** n;
  const rMax = Math.min(reach, 1.5 * canvas.size);
  const table = new Float32Array(ROWS + 2);
  for (let i = 0; i < table.length; i++) {
    const r = rMax * (i / ROWS) ** 2;
    table[i] = peak * Math.exp(-b * (r / radius) ** (1 / n));
  }
  const perRow = ROWS / Math.sqrt(rMax);

  const cos = Math.cos((spheroid.angle * Math.PI) / 180);
  const sin = Math.sin((spheroid.angle * Math.PI) / 180);
  const boxy = boxiness > 0;
  const rMax2 = rMax * rMax;
  function light(dx: number, dy: number): number {
    const u = dx * cos + dy * sin;
    const v = (dy * cos - dx * sin) / q;
    const r2 = boxy ? (Math.abs(u) ** c + Math.abs(v) ** c) ** (2 / c) : u * u + v * v;
    if (r2 >= rMax2) return 0;
    const t = Math.sqrt(Math.sqrt(r2)) * perRow;
    const i = t | 0;
    return table[i]! + (t - i) * (table[i + 1]! - table[i]!);
  }

  const { size, bands } = canvas;
  const [red, green, blue] = bands;
  const { x0, x1, y0, y1 } = around(canvas, x, y, boxy ? 1.2 * rMax : rMax);
  for (let j = y0; j <= y1; j++) {
    const dy = j - y;
    for (let i = x0; i <= x1; i++) {
      const dx = i - x;
      const inCore = Math.abs(dx) < CORE && Math.abs(dy) < CORE;
      const value = inCore ? coreLight(light, dx, dy) : light(dx, dy);
      const p = j * size + i;
      red[p]! += value * rgb[0];
      green[p]! += value * rgb[1];
      blue[p]! += value * rgb[2];
    }
  }
}

function coreLight(light: (dx: number, dy: number) => number, dx: number, dy: number): number {
  let sum = 0;
  for (let b = 0; b < SUB; b++)
    for (let a = 0; a < SUB; a++)
      sum += light(dx + (a + 0.5) / SUB - 0.5, dy + (b + 0.5) / SUB - 0.5);
  return sum / (SUB * SUB);
}

/** Area inside |x|^c + |y|^c = 1 over that of a circle. */
function superellipseArea(c: number): number {
  if (c === 2) return 1;
  return (4 * gamma(1 + 1 / c) ** 2) / gamma(1 + 2 / c) / Math.PI;
}

/** Gamma function for positive arguments (Lanczos, g = 5, error below 2e-10). */
function gamma(z: number): number {
  if (z < 1) return gamma(z + 1) / z;
  const x = z - 1;
  let series = 1.000000000190015;
  for (let i = 0; i < LANCZOS.length; i++) series += LANCZOS[i]! / (x + i + 1);
  const t = x + 5.5;
  return Math.sqrt(2 * Math.PI) * t ** (x + 0.5) * Math.exp(-t) * series;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155,
  1.208650973866179e-3, -5.395239384953e-6,
];
