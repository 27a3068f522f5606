import type { Rng } from "@gz/augment";
import { addSpot, around, type Canvas, type Rgb, starlight } from "./canvas.ts";

/** How the telescope shows a point, in camera pixels. */
export interface Optics {
  /** Full width at half maximum of its blur. */
  fwhm: number;
  /**
   * Where red, green and blue see it: the bands are exposed one after the other and aligned only to
   * a fraction of a pixel, which gives point sources their coloured edges.
   */
  offsets: readonly [dx: number, dy: number][];
}

/** Exponent of the Moffat profile. */
const BETA = 3;

/** How a spot on the sky is spread beyond the optics: a galaxy too small for more than that. */
interface Spread {
  fwhm: number;
  axisRatio: number;
  angle: number;
}

/** Adds a star, or a far galaxy as one that is spread out: a Moffat profile (1 + (r/a)^2)^-3 of this total flux in each band. */
export function addStar(
  canvas: Canvas,
  optics: Optics,
  x: number,
  y: number,
  flux: number,
  rgb: Rgb,
  spread: Spread = { fwhm: 0, axisRatio: 1, angle: 0 },
): void {
  const toCore = 1 / (2 * Math.sqrt(2 ** (1 / BETA) - 1));
  const a = toCore * Math.hypot(optics.fwhm, spread.fwhm);
  const b = toCore * Math.hypot(optics.fwhm, spread.fwhm * spread.axisRatio);
  const cos = Math.cos(spread.angle) / a;
  const sin = Math.sin(spread.angle) / a;
  const ratio = a / b;
  const { size, bands } = canvas;
  const peak = (flux * (BETA - 1)) / (Math.PI * a * b);
  const brightest = Math.max(...rgb) * peak;
  // Where the profile falls to a seventh of the noise.
  const reach = Math.min(60, a * Math.sqrt(Math.max(0, Math.cbrt(7 * brightest) - 1)));
  const { x0, x1, y0, y1 } = around(canvas, x, y, reach + 1);
  for (let k = 0; k < 3; k++) {
    const [ox, oy] = optics.offsets[k]!;
    const band = bands[k]!;
    const top = peak * rgb[k]!;
    for (let j = y0; j <= y1; j++) {
      const dy = j - y - oy;
      for (let i = x0; i <= x1; i++) {
        const dx = i - x - ox;
        const u = dx * cos + dy * sin;
        const v = (dy * cos - dx * sin) * ratio;
        const t = 1 + u * u + v * v;
        band[j * size + i]! += top / (t * t * t);
      }
    }
  }
}

/** A star so bright that the optics show: a wide halo and four spikes of diffracted light. */
export function addBrightStar(
  canvas: Canvas,
  optics: Optics,
  star: { x: number; y: number; flux: number; rgb: Rgb; angle: number },
): void {
  const { x, y, flux, rgb } = star;
  addStar(canvas, optics, x, y, flux, rgb);
  addStar(canvas, { ...optics, fwhm: 7 * optics.fwhm }, x, y, 0.09 * flux, rgb);
  const length = Math.min(0.7 * canvas.size, 6 * Math.sqrt(flux / 4000));
  const steps = Math.ceil(length / 1.5);
  for (let arm = 0; arm < 4; arm++) {
    const phi = star.angle + (arm * Math.PI) / 2;
    for (let k = 1; k <= steps; k++) {
      const s = (k * length) / steps;
      const light = (0.0018 * flux) / (1 + s / 2) ** 1.4;
      addSpot(canvas, x + s * Math.cos(phi), y + s * Math.sin(phi), 0.8, light, rgb);
    }
  }
}

/** A satellite's or an aeroplane's trail: one straight line, exposed in mostly one band. */
export function addTrail(rng: Rng, canvas: Canvas, x: number, y: number, light: number): void {
  const phi = rng.uniform(0, Math.PI);
  const width = rng.uniform(1.6, 3);
  const band = rng.int(3);
  const rgb: Rgb = [band === 0 ? 2 : 0.5, band === 1 ? 1.9 : 0.55, band === 2 ? 2 : 0.5];
  const { size, bands } = canvas;
  const cos = Math.cos(phi);
  const sin = Math.sin(phi);
  for (let j = 0; j < size; j++)
    for (let i = 0; i < size; i++) {
      const d = ((j - y) * cos - (i - x) * sin) / width;
      if (d * d > 20) continue;
      const value = light / (1 + d * d) ** 2.5;
      for (let k = 0; k < 3; k++) bands[k]![j * size + i]! += value * rgb[k]!;
    }
}

/** Colours of field stars: many red dwarfs, some like the Sun, few hot ones; the brightest are not dwarfs. */
function starColour(rng: Rng, flux: number): Rgb {
  const t = rng.uniform(flux > 3000 ? 0.34 : 0, 1);
  if (t < 0.34) return [2.1, 0.68, 0.22];
  if (t < 0.55) return [1.5, 0.97, 0.53];
  if (t < 0.85) return [1.05, 1.02, 0.93];
  return [0.75, 0.96, 1.29];
}

/** The stars of the field: counts rise as flux^-0.8, so most of them are faint. */
export function addFieldStars(rng: Rng, canvas: Canvas, optics: Optics, count: number): void {
  for (let k = 0; k < count; k++) {
    const flux = Math.min(60_000, 70 * (1 - rng.uniform()) ** (-1 / 0.8));
    const [x, y] = somewhere(rng, canvas);
    addStar(canvas, optics, x, y, flux, starColour(rng, flux));
  }
}

/** Background galaxies: small, mostly red, brighter ones rare. */
export function addFieldGalaxies(rng: Rng, canvas: Canvas, optics: Optics, count: number): void {
  for (let k = 0; k < count; k++) {
    const flux = 110 * (1 - rng.uniform()) ** (-1 / 0.9);
    const [x, y] = somewhere(rng, canvas);
    const spread = {
      fwhm: Math.min(11, 1.9 * (flux / 110) ** 0.3 * Math.exp(rng.normal(0, 0.25))),
      axisRatio: rng.uniform(0.25, 1),
      angle: rng.uniform(0, Math.PI),
    };
    const colour = rng.bool(0.65) ? rng.uniform(0.75, 1.1) : rng.uniform(0.2, 0.7);
    addStar(canvas, optics, x, y, Math.min(flux, 8000), starlight(colour), spread);
  }
}

function somewhere(rng: Rng, canvas: Canvas): [number, number] {
  return [rng.uniform(0, canvas.size - 1), rng.uniform(0, canvas.size - 1)];
}
