import type { Rng } from "@gz/augment";
import type { GalaxyParameters } from "./parameters.ts";

type Family = "elliptical" | "lenticular" | "spiral" | "edge-on" | "irregular" | "star" | "trail";

// Shares chosen so that the mean of the votes is close to what volunteers of a survey answer.
const FAMILIES: [Family, share: number][] = [
  ["elliptical", 0.315],
  ["lenticular", 0.12],
  ["spiral", 0.4],
  ["edge-on", 0.092],
  ["irregular", 0.055],
  ["star", 0.01],
  ["trail", 0.008],
];

// Two arms are the rule; 6 stands for "more than 4".
const ARMS: [number, share: number][] = [
  [1, 0.12],
  [2, 0.52],
  [3, 0.14],
  [4, 0.09],
  [5, 0.05],
  [6, 0.08],
];

/** Draws a galaxy as a survey would find it: mostly ellipticals and spirals, and some of everything. */
export function sampleGalaxy(rng: Rng): GalaxyParameters {
  const family = pick(rng, FAMILIES);
  const params = plainGalaxy(rng);
  if (family === "star" || family === "trail") params.kind = family;
  else if (family === "elliptical") elliptical(rng, params);
  else if (family === "lenticular") lenticular(rng, params);
  else if (family === "spiral") spiral(rng, params);
  else if (family === "edge-on") edgeOn(rng, params);
  else irregular(rng, params);
  if (params.kind === "galaxy") oddities(rng, params, family);
  return params;
}

/** The observation (how large, how sharp, how deep), and a galaxy without any feature. */
function plainGalaxy(rng: Rng): GalaxyParameters {
  const level = 3.5 * Math.exp(rng.normal(0, 0.25));
  // Light scattered from stars outside the frame is red.
  const tint = rng.normal(0, 0.4) + Math.min(3, 0.3 * (1 - rng.uniform()) ** -0.7) - 0.6;
  const scatter = 1.3;
  return {
    kind: "galaxy",
    magnification: clamp(2.6 * Math.exp(rng.normal(0, 0.36)), 1.3, 6),
    seeing: clamp(rng.normal(3.1, 0.35), 2.3, 4.2),
    brightness: 190 * Math.exp(rng.normal(0, 0.55)),
    centre: [212.5 + rng.normal(0, scatter), 212.5 + rng.normal(0, scatter)],
    angle: rng.uniform(0, 180),
    inclination: 0,
    bulge: { fraction: 0, sersic: 4, radius: 6, axisRatio: 0.8, boxiness: 0, colour: 0.85 },
    disk: { radius: 14, thickness: 0.2, colour: 0.5 },
    bar: { strength: 0, length: 16, angle: 0 },
    spiral: { strength: 0, arms: 2, pitch: 18, flocculence: 0, turn: 1 },
    knots: 0,
    ring: { strength: 0, radius: 36 },
    dustLane: 0,
    disturbance: 0,
    irregularity: 0,
    lens: { strength: 0, radius: 36, angle: 0, span: 60 },
    companion: { strength: 0, ratio: 0.5, distance: 40, angle: 0, size: 0.6 },
    intruder: { strength: 0, distance: 25, angle: 0 },
    fieldDensity: 72 * Math.exp(rng.normal(0, 0.4)),
    sky: {
      level: [level + tint, level, Math.max(0.4, level - 1.7)],
      noise: 4.9 * Math.exp(rng.normal(0, 0.16)),
    },
  };
}

function elliptical(rng: Rng, params: GalaxyParameters): void {
  const n = clamp(rng.normal(3.4, 1.1), 1.2, 6);
  // The frame is cut so that 90 % of the light falls within about 50 pixels.
  const axisRatio = 1 - 0.72 * rng.uniform() ** 1.15;
  const radius = ((50 / concentration(n)) * rng.uniform(0.85, 1.2)) / Math.sqrt(axisRatio);
  const colour = rng.bool(0.12) ? rng.uniform(0.05, 0.5) : clamp(rng.normal(0.88, 0.08), 0.5, 1);
  params.bulge = { fraction: 1, sersic: n, radius, axisRatio, boxiness: 0, colour };
}

function lenticular(rng: Rng, params: GalaxyParameters): void {
  disk(rng, params, {
    fraction: rng.uniform(0.05, 0.65),
    colour: clamp(rng.normal(0.6, 0.25), 0, 1),
  });
  params.inclination = isotropic(rng, 80);
  if (rng.bool(0.25)) params.bar.strength = rng.uniform(0.2, 0.9);
  if (rng.bool(0.3))
    params.ring = { strength: rng.uniform(0.1, 0.35), radius: params.disk.radius * 2.4 };
}

function spiral(rng: Rng, params: GalaxyParameters): void {
  disk(rng, params, {
    fraction: clamp(Math.exp(rng.normal(-1.75, 0.8)), 0, 0.7),
    colour: clamp(rng.normal(0.36, 0.2), 0, 0.9),
  });
  params.inclination = isotropic(rng, 74);
  const arms = pick(rng, ARMS);
  // Early types wind tightly, late ones are open; the scatter about it is large.
  const pitch = clamp(
    rng.normal(25 - 32 * params.bulge.fraction, 8),
    6 + 3 * Math.max(0, arms - 2),
    42,
  );
  params.spiral = {
    strength: rng.uniform(0.32, 1),
    arms,
    pitch,
    flocculence: rng.bool(0.3) ? rng.uniform(0.5, 1) : rng.uniform(0, 0.45),
    turn: rng.bool() ? 1 : -1,
  };
  params.knots = rng.uniform(0, 1) ** 1.5 * (1 - params.disk.colour);
  if (rng.bool(0.42)) params.bar.strength = rng.uniform(0.2, 1);
  if (rng.bool(0.15))
    params.ring = { strength: rng.uniform(0.1, 0.6), radius: params.bar.length * 1.15 };
}

function edgeOn(rng: Rng, params: GalaxyParameters): void {
  const bulgeless = rng.bool(0.35);
  disk(rng, params, {
    fraction: bulgeless ? rng.uniform(0, 0.05) : rng.uniform(0.08, 0.5),
    colour: clamp(rng.normal(bulgeless ? 0.4 : 0.72, 0.2), 0, 1),
  });
  params.inclination = rng.uniform(81, 90);
  params.disk.radius *= rng.uniform(1, 1.4);
  params.disk.thickness = rng.uniform(0.1, 0.24);
  if (!bulgeless && rng.bool(0.26)) {
    params.bulge.boxiness = rng.uniform(0.55, 1);
    params.bulge.fraction = Math.max(params.bulge.fraction, 0.22);
    params.bulge.radius *= 1.25;
    params.bulge.sersic = 1.2;
  }
  if (rng.bool(0.3)) params.dustLane = rng.uniform(0.1, 0.55);
}

function irregular(rng: Rng, params: GalaxyParameters): void {
  disk(rng, params, { fraction: 0, colour: clamp(rng.normal(0.12, 0.12), 0, 0.5) });
  params.inclination = isotropic(rng, 70);
  params.disk.thickness = 0.35;
  params.irregularity = rng.uniform(0.35, 1);
  params.knots = rng.uniform(0.2, 1);
  params.brightness *= 0.75;
}

/** Disk, and the bulge that belongs to a given share of the light. */
function disk(rng: Rng, params: GalaxyParameters, is: { fraction: number; colour: number }): void {
  const h = (50 / 3.2) * rng.uniform(0.85, 1.2);
  const { fraction, colour } = is;
  params.disk = { radius: h, thickness: rng.uniform(0.12, 0.25), colour };
  params.bulge = {
    fraction,
    sersic: clamp(rng.normal(1.2 + 4 * fraction, 0.5), 0.8, 4),
    radius: h * (0.25 + 0.75 * fraction) * rng.uniform(0.85, 1.15),
    axisRatio: rng.uniform(0.6, 0.95),
    boxiness: 0,
    colour: clamp(colour + rng.uniform(0.25, 0.45), 0.4, 1),
  };
  params.bar = { strength: 0, length: h * rng.uniform(0.9, 1.5), angle: rng.uniform(0, 180) };
}

/** Rings, lenses, mergers and so on: about a fifth of all galaxies have one that shows. */
function oddities(rng: Rng, params: GalaxyParameters, family: Family): void {
  const faceOn = family === "spiral" || family === "lenticular";
  const lane = family === "edge-on" ? 0.07 : family === "elliptical" ? 0.012 : 0;
  const kind = pick(rng, [
    ["none", 0.775],
    ["ring", faceOn ? 0.07 : 0],
    ["lens", family === "elliptical" ? 0.035 : 0.008],
    ["disturbed", 0.05],
    ["intruder", 0.055],
    ["merger", 0.06],
    ["dust lane", lane],
  ] as const);
  const angle = rng.uniform(0, 360);
  if (kind === "ring") {
    params.ring = {
      strength: rng.uniform(0.6, 1),
      radius: params.disk.radius * rng.uniform(1.7, 2.8),
    };
    params.spiral.strength *= rng.uniform(0, 0.4);
  } else if (kind === "lens") {
    const radius = rng.uniform(28, 50);
    params.lens = { strength: rng.uniform(0.5, 1), radius, angle, span: rng.uniform(40, 150) };
  } else if (kind === "disturbed") {
    params.disturbance = rng.uniform(0.4, 1);
  } else if (kind === "intruder") {
    params.intruder = { strength: rng.uniform(0.5, 1), distance: rng.uniform(8, 38), angle };
  } else if (kind === "merger") {
    params.companion = {
      strength: rng.uniform(0.5, 1),
      ratio: rng.uniform(0.25, 1),
      distance: rng.uniform(22, 62),
      angle,
      size: rng.uniform(0.5, 0.95),
    };
  } else if (kind === "dust lane") {
    params.dustLane = rng.uniform(0.7, 1);
    // A lane is thin: it shows in a galaxy that is near, and thick enough to have two sides.
    params.magnification = rng.uniform(1.3, 2);
    params.disk.thickness = Math.max(params.disk.thickness, 0.22);
  }
}

/** R90 / Re of a Sersic profile as a survey measures it (Petrosian), roughly. */
function concentration(n: number): number {
  return 1.9 + 0.36 * n;
}

/** Random orientations: the cosine of the inclination is uniform, up to a largest inclination. */
function isotropic(rng: Rng, largest: number): number {
  const lowest = Math.cos((largest * Math.PI) / 180);
  return (Math.acos(rng.uniform(lowest, 1)) * 180) / Math.PI;
}

function pick<T>(rng: Rng, shares: readonly (readonly [T, number])[]): T {
  let total = 0;
  for (const [, share] of shares) total += share;
  let left = rng.uniform(0, total);
  for (const [value, share] of shares) {
    left -= share;
    if (left < 0) return value;
  }
  return shares[0]![0];
}

function clamp(value: number, lo: number, hi: number): number {
  return Math.min(hi, Math.max(lo, value));
}
