import { createRng, type Rng } from "@gz/augment";
import type { Canvas } from "./canvas.ts";
import type { GalaxyParameters } from "./parameters.ts";

// Lupton et al. (2004): the mean of the bands is stretched by asinh(Q I) / Q, the colour is kept.
const Q = 8;
// Source counts are this much below the sky's where their photon noise equals the sky's.
const SKY_OVER_NOISE = 30;
const STRETCH_ROWS = 4096;
const NORMALS = 1 << 16;
// Share of the noise that differs from band to band.
const CHROMA = 0.48;

let normals: Float32Array | undefined;

/**
 * From light to a picture: photon and sky noise, the sky's level, the asinh stretch and 8-bit
 * limits. Returns [size, size, 3] values of 0..255, not yet rounded.
 */
export function develop(rng: Rng, canvas: Canvas, params: GalaxyParameters): Float32Array {
  const { size, bands } = canvas;
  const { level, noise } = params.sky;
  const unit = noise / 255;
  const out = new Float32Array(size * size * 3);
  const luminance = noisePlane(rng, size + 1);
  // Colour noise is coarser: one value for 2 x 2 pixels, JPEG's halved colour resolution.
  const half = Math.ceil(size / 2);
  const chroma = [0, 1, 2].map(() => noisePlane(rng, half));
  const [redNoise, greenNoise, blueNoise] = chroma as [Float32Array, Float32Array, Float32Array];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const p = y * size + x;
      const c = (y >> 1) * half + (x >> 1);
      const q = p + y;
      // Neighbours share noise: the survey's frames were resampled once already.
      const common =
        0.68 * luminance[q]! +
        0.4 * (luminance[q + 1]! + luminance[q + size + 1]!) +
        0.23 * luminance[q + size + 2]!;
      const l0 = bands[0][p]!;
      const l1 = bands[1][p]!;
      const l2 = bands[2][p]!;
      const photon = unit * Math.sqrt(1 + (l0 + l1 + l2) / (3 * SKY_OVER_NOISE));
      const r = unit * l0 + photon * (common + CHROMA * redNoise[c]!) + level[0] / 255;
      const g = unit * l1 + photon * (common + CHROMA * greenNoise[c]!) + level[1] / 255;
      const b = unit * l2 + photon * (common + CHROMA * blueNoise[c]!) + level[2] / 255;
      const factor = 255 * stretch((r + g + b) / 3);
      out[3 * p] = clampByte(r * factor);
      out[3 * p + 1] = clampByte(g * factor);
      out[3 * p + 2] = clampByte(b * factor);
    }
  }
  return out;
}

/** White Gaussian noise [n, n], each value picked from a table of normals by an xorshift32 step. */
function noisePlane(rng: Rng, n: number): Float32Array {
  const table = (normals ??= tableOfNormals());
  const plane = new Float32Array(n * n);
  let state = rng.int(0xffff_ffff) + 1;
  for (let i = 0; i < plane.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    plane[i] = table[(state >>> 8) & (NORMALS - 1)]!;
  }
  return plane;
}

/** asinh(Q I) / (Q I) by table, evenly spaced in sqrt(I) up to I = 2500, where all is white. */
const factors = Float32Array.from({ length: STRETCH_ROWS + 2 }, (_, i) => {
  const intensity = (50 * i) / STRETCH_ROWS;
  const t = Q * intensity * intensity;
  return t < 1e-6 ? 1 : Math.asinh(t) / t;
});

function stretch(intensity: number): number {
  if (intensity <= 0) return 1;
  const t = Math.min(Math.sqrt(intensity) * (STRETCH_ROWS / 50), STRETCH_ROWS);
  const i = t | 0;
  return factors[i]! + (t - i) * (factors[i + 1]! - factors[i]!);
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function tableOfNormals(): Float32Array {
  const rng = createRng(0);
  return Float32Array.from({ length: NORMALS }, () => rng.normal());
}
