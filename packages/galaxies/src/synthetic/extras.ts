import type { Rng } from "@gz/augment";
import { addSpot, type Canvas, type Rgb, starlight, toCamera } from "./canvas.ts";
import type { Disk } from "./disk.ts";
import { diskAxisRatio } from "./disk.ts";
import type { GalaxyParameters } from "./parameters.ts";
import { armAngle, armStart } from "./texture.ts";

/** Share of its light that an entirely irregular galaxy has in clumps; the rest is a disk. */
export const CLUMPED = 0.62;

const HII: Rgb = [0.93, 0.93, 1.14];

/** Star-forming knots strung along the arms, or anywhere in the disk of an irregular galaxy. */
export function addKnots(rng: Rng, canvas: Canvas, disk: Disk, params: GalaxyParameters): void {
  const count = Math.round(46 * params.knots);
  const q = diskAxisRatio(disk.inclination, disk.thickness);
  const angle = (disk.angle * Math.PI) / 180;
  const { arms, flocculence } = params.spiral;
  for (let k = 0; k < count; k++) {
    // A gamma-distributed radius: the sum of two exponentials follows R exp(-R).
    const r = -Math.log(1 - rng.uniform()) - Math.log(1 - rng.uniform());
    const onArm = rng.bool(0.85 * (1 - flocculence) * Math.min(1, 2 * params.spiral.strength));
    const arm = rng.int(Math.max(1, arms));
    const phi = onArm
      ? armAngle(params, Math.max(r, armStart(params))) +
        (2 * Math.PI * arm) / arms +
        rng.normal(0, 0.12)
      : rng.uniform(0, 2 * Math.PI);
    const share = 0.0035 * -Math.log(1 - rng.uniform());
    const sigma = (disk.radius * rng.uniform(0.04, 0.13)) / 1.2;
    if (r > 5) continue;
    const u = r * disk.radius * Math.cos(phi);
    const v = r * disk.radius * Math.sin(phi) * q;
    const x = disk.x + u * Math.cos(angle) - v * Math.sin(angle);
    const y = disk.y + u * Math.sin(angle) + v * Math.cos(angle);
    addSpot(canvas, x, y, Math.max(0.5, sigma), disk.flux * share, HII);
  }
}

/** An irregular galaxy's clumps: blue clouds of all sizes, off the centre. */
export function addClumps(rng: Rng, canvas: Canvas, disk: Disk, params: GalaxyParameters): void {
  const { irregularity } = params;
  if (!(irregularity > 0)) return;
  const count = 5 + rng.int(6);
  const q = Math.max(0.45, diskAxisRatio(disk.inclination, disk.thickness));
  const angle = (disk.angle * Math.PI) / 180;
  const shares = Array.from({ length: count }, () => rng.uniform(0.2, 1));
  const total = shares.reduce((a, b) => a + b, 0);
  for (const share of shares) {
    const u = disk.radius * rng.normal(0, 1.15);
    const v = disk.radius * rng.normal(0, 1.15) * q;
    const x = disk.x + u * Math.cos(angle) - v * Math.sin(angle);
    const y = disk.y + u * Math.sin(angle) + v * Math.cos(angle);
    const sigma = Math.max(0.6, disk.radius * Math.exp(rng.normal(-1, 0.45)));
    const flux = (disk.flux * CLUMPED * irregularity * share) / total;
    addSpot(canvas, x, y, sigma, flux, starlight(params.disk.colour + rng.normal(0, 0.12)));
  }
}

/**
 * A tidal tail: a stream that leaves a galaxy at an angle (radians) and bends round as it thins,
 * drawn as overlapping spots. Lengths in camera pixels.
 */
export function addTail(
  canvas: Canvas,
  tail: {
    x: number;
    y: number;
    start: number;
    length: number;
    angle: number;
    bend: number;
    width: number;
  },
  flux: number,
  rgb: Rgb,
): void {
  const steps = 26;
  let { x, y } = tail;
  for (let k = 0; k < steps; k++) {
    const s = k / (steps - 1);
    const angle = tail.angle + tail.bend * s;
    const step = k === 0 ? tail.start : tail.length / steps;
    x += step * Math.cos(angle);
    y += step * Math.sin(angle);
    addSpot(
      canvas,
      x,
      y,
      tail.width * (0.75 + 1.5 * s),
      (flux * (1 - s) ** 1.4) / (0.42 * steps),
      rgb,
    );
  }
}

/** A lensed background galaxy: a thin blue arc about the centre, and a short one opposite. */
export function addLens(canvas: Canvas, params: GalaxyParameters, flux: number): void {
  const { lens } = params;
  if (!(lens.strength > 0)) return;
  const m = canvas.magnification;
  const [cx, cy] = params.centre;
  const arc = (middle: number, span: number, radius: number, share: number): void => {
    const steps = Math.max(3, Math.ceil(span / 3));
    for (let k = 0; k <= steps; k++) {
      const t = k / steps - 0.5;
      const phi = ((middle + span * t) * Math.PI) / 180;
      const x = toCamera(canvas, cx + radius * Math.cos(phi));
      const y = toCamera(canvas, cy + radius * Math.sin(phi));
      const fade = 1 - 2.6 * t * t;
      addSpot(canvas, x, y, Math.max(0.7, 2.4 / m), (flux * share * fade) / steps, starlight(0.12));
    }
  };
  arc(lens.angle, lens.span, lens.radius, 0.16 * lens.strength);
  arc(lens.angle + 180, 0.25 * lens.span, 0.72 * lens.radius, 0.03 * lens.strength);
}
