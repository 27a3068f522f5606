import type { Rng } from "@gz/augment";
import type { GalaxyParameters } from "./parameters.ts";

/**
 * What makes a disk more than an exponential: arms, rings, gaps and dust as a polar map in the
 * disk's plane, rows evenly spaced in log R, columns in angle. Each cell holds the factor on the
 * light, the share of young (blue) stars in it and the dust's depth.
 */
export interface Texture {
  cells: Float32Array;
}

const RADII = 96;
/** Columns of a texture. */
export const ANGLES = 192;
/** Numbers in a cell. */
export const FIELDS = 3;

// Rows go from INNER to OUTER scale lengths.
const INNER = 0.08;
const OUTER = 7.5;
const ROWS_PER_E = (RADII - 1) / Math.log(OUTER / INNER);

/** Row, with its fraction, of a radius in scale lengths; always below RADII - 1. */
export function textureRow(r: number): number {
  if (r <= INNER) return 0;
  return Math.min(Math.log(r / INNER) * ROWS_PER_E, RADII - 1.001);
}

/** Angle of the crest of an arm at a radius (scale lengths), in the disk's plane, in radians. */
export function armAngle(params: GalaxyParameters, r: number): number {
  const { pitch, turn } = params.spiral;
  const start = params.bar.strength > 0 ? (params.bar.angle * Math.PI) / 180 : 0;
  const tan = Math.tan((pitch * Math.PI) / 180);
  return start + (turn * Math.log(r / armStart(params))) / tan;
}

/** Radius, in scale lengths, where the arms begin: at the bar's ends if there is one. */
export function armStart(params: GalaxyParameters): number {
  const { bar, disk, bulge } = params;
  const inner = 0.45 + 0.6 * bulge.fraction;
  return bar.strength > 0.15 ? Math.max(inner, (0.92 * bar.length) / disk.radius) : inner;
}

/** Draws arms, ring, gaps, dust and patches of a disk; `rng` sets how they wobble. */
export function drawTexture(rng: Rng, params: GalaxyParameters): Texture {
  const cells = new Float32Array(RADII * ANGLES * FIELDS);
  const { spiral, ring, bar, disk, disturbance, irregularity } = params;
  const crest = armProfile(rng, params);
  const patches = lattice(rng);
  const pieces = lattice(rng);
  const lopsided = 0.75 * Math.max(disturbance, 0.5 * irregularity) + 0.08;
  const lopsidedAngle = rng.uniform(0, 2 * Math.PI);
  const r0 = armStart(params);
  const ringRadius = ring.radius / disk.radius;
  const ringWidth = 0.14 * ringRadius;
  const barLength = bar.length / disk.radius;
  const f = spiral.flocculence;

  for (let row = 0; row < RADII; row++) {
    const logR = row / ROWS_PER_E;
    const r = INNER * Math.exp(logR);
    const wind = armAngle(params, r) / (2 * Math.PI);
    const rise = smoothstep(0.7 * r0, 1.25 * r0, r);
    const envelope = spiral.strength * rise * (1 - smoothstep(3.2, 5.5, r));
    const ringLight = ring.strength * 3.2 * Math.exp(-(((r - ringRadius) / ringWidth) ** 2));
    const gap =
      0.75 * ring.strength * Math.exp(-(((r - 0.66 * ringRadius) / (0.27 * ringRadius)) ** 2));
    const barGap =
      0.35 *
      bar.strength *
      smoothstep(0.2, 0.6, r / barLength) *
      (1 - smoothstep(0.8, 1.15, r / barLength));
    for (let column = 0; column < ANGLES; column++) {
      const turns = column / ANGLES;
      const along = turns - wind;
      const s = (along - Math.floor(along)) * ANGLES;
      const patchy = sampleLattice(patches, turns, logR * 2.2);
      // Pieces of arms: noise drawn out along the winding.
      const piece = smoothstep(0.1, 1.1, sampleLattice(pieces, along, logR * 1.1));
      const bump = (1 - f) * sampleCrest(crest, s) * (1 + 0.35 * patchy) + f * 0.8 * piece;
      const arm = Math.max(0, bump) * envelope;
      const side =
        1 + lopsided * Math.cos(turns * 2 * Math.PI - lopsidedAngle) * Math.min(1, r / 2.2);
      const light =
        (1 - 0.62 * envelope - gap - barGap) * (1 + 0.12 * patchy) +
        2.9 * arm +
        ringLight * (1 + 0.25 * patchy);
      const p = (row * ANGLES + column) * FIELDS;
      cells[p] = Math.max(0.03, light * side);
      cells[p + 1] = Math.min(1, 0.9 * arm + 0.5 * Math.min(1, ringLight));
      // Dust on the inner edge of the arms, where gas piles up.
      cells[p + 2] = 0.5 * envelope * (1 - f) * sampleCrest(crest, s + spiral.turn * -8);
    }
  }
  return { cells };
}

/** All arms around one circle: bumps of unit height whose places and heights are a little uneven. */
function armProfile(rng: Rng, params: GalaxyParameters): Float32Array {
  const profile = new Float32Array(ANGLES);
  const { arms, pitch } = params.spiral;
  // A width across the arm of a tenth of the radius, cut by the circle at the pitch angle.
  const across = 0.13 / Math.sin((pitch * Math.PI) / 180);
  const width = Math.min(across, (0.17 * 2 * Math.PI) / Math.max(arms, 1.4));
  for (let k = 0; k < arms; k++) {
    const uneven = arms > 2 ? 0.1 : 0.05;
    const place = (2 * Math.PI * (k + uneven * rng.normal())) / arms;
    const height = 1 - 0.3 * rng.uniform() ** 2;
    for (let column = 0; column < ANGLES; column++) {
      let d = (column * 2 * Math.PI) / ANGLES - place;
      d -= 2 * Math.PI * Math.round(d / (2 * Math.PI));
      profile[column]! += height * Math.exp(-0.5 * (d / width) ** 2);
    }
  }
  return profile;
}

function sampleCrest(profile: Float32Array, s: number): number {
  const i = Math.floor(s);
  const a = profile[((i % ANGLES) + ANGLES) % ANGLES]!;
  const b = profile[(((i + 1) % ANGLES) + ANGLES) % ANGLES]!;
  return a + (s - i) * (b - a);
}

// Smooth noise: normals on a lattice of 16 angles and 24 radii, periodic in both.
const LATTICE_ANGLES = 16;
const LATTICE_RADII = 24;

function lattice(rng: Rng): Float32Array {
  const values = new Float32Array(LATTICE_ANGLES * LATTICE_RADII);
  for (let i = 0; i < values.length; i++) values[i] = rng.normal();
  return values;
}

function sampleLattice(values: Float32Array, turns: number, row: number): number {
  const a = (turns - Math.floor(turns)) * LATTICE_ANGLES;
  const i = a | 0;
  const j = Math.floor(row);
  const u = ease(a - i);
  const v = ease(row - j);
  const r0 = (j % LATTICE_RADII) * LATTICE_ANGLES;
  const r1 = ((j + 1) % LATTICE_RADII) * LATTICE_ANGLES;
  const i1 = (i + 1) % LATTICE_ANGLES;
  const top = values[r0 + i]! + u * (values[r0 + i1]! - values[r0 + i]!);
  const bottom = values[r1 + i]! + u * (values[r1 + i1]! - values[r1 + i]!);
  return top + v * (bottom - top);
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}

function smoothstep(lo: number, hi: number, x: number): number {
  return ease(Math.min(1, Math.max(0, (x - lo) / (hi - lo))));
}
