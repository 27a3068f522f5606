import type { Rng } from "@gz/augment";
import ndarray, { type NdArray } from "ndarray";
import { blur } from "./blur.ts";
import { type Canvas, createCanvas, starlight, toCamera } from "./canvas.ts";
import { checkParameters } from "./check-parameters.ts";
import { develop } from "./develop.ts";
import { addBar, addDisk, addDustLane, addEdgeOnDisk, type Disk, isEdgeOn } from "./disk.ts";
import { enlarge } from "./enlarge.ts";
import { addClumps, addKnots, addLens, addTail, CLUMPED } from "./extras.ts";
import type { GalaxyParameters } from "./parameters.ts";
import { addSpheroid } from "./sersic.ts";
import {
  addBrightStar,
  addFieldGalaxies,
  addFieldStars,
  addStar,
  addTrail,
  type Optics,
} from "./stars.ts";
import { drawTexture } from "./texture.ts";

/**
 * Renders a galaxy as a survey's JPEG shows it: light drawn on the camera's grid, blurred by the
 * atmosphere, with field stars and galaxies, photon and sky noise, Lupton's asinh stretch (2004),
 * magnified to the frame.
 *
 * @param params what to draw, from `sampleGalaxy` or by hand
 * @param options.rng everything by chance: noise, the field, how each arm wobbles
 * @param options.size pixels on a side, 424 by default; the field of view stays the same
 * @returns [size, size, 3], 0..255; same parameters and rng, same bytes
 * @throws RangeError for a size that is not a positive integer, TypeError for parameters that no galaxy can have
 */
export function renderGalaxy(
  params: GalaxyParameters,
  { rng, size = 424 }: { rng: Rng; size?: number },
): NdArray<Uint8Array> {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`renderGalaxy: expected a positive integer for size but got ${size}`);
  checkParameters("renderGalaxy", params);
  const canvas = createCanvas(params.magnification);
  const optics = drawOptics(rng, params);
  if (params.kind === "galaxy") addGalaxy(rng, canvas, params);
  const objects = params.fieldDensity * (canvas.size / 424) ** 2;
  blur(canvas, optics);
  addFieldGalaxies(rng, canvas, optics, poisson(rng, 0.55 * objects));
  addFieldStars(rng, canvas, optics, poisson(rng, 0.45 * objects));
  addForeground(rng, canvas, optics, params);
  const picture = develop(rng, canvas, params);
  return ndarray(enlarge(canvas, picture, size), [size, size, 3]);
}

/** Light of the galaxy itself, its companion and whatever odd belongs to it, before the blur. */
export function addGalaxy(rng: Rng, canvas: Canvas, params: GalaxyParameters): void {
  const m = canvas.magnification;
  const x = toCamera(canvas, params.centre[0]);
  const y = toCamera(canvas, params.centre[1]);
  const flux = totalFlux(params);
  const { bulge } = params;
  const disk: Disk = {
    x,
    y,
    radius: params.disk.radius / m,
    thickness: params.disk.thickness,
    angle: params.angle,
    inclination: params.inclination,
    flux: flux * (1 - bulge.fraction) * (1 - CLUMPED * params.irregularity),
  };
  const barFlux = disk.flux * 0.22 * params.bar.strength;
  const old = starlight(params.disk.colour + 0.12);
  const young = starlight(params.disk.colour - 0.38);
  if (isEdgeOn(params.inclination)) {
    addEdgeOnDisk(canvas, disk, old, young, rng.normal(0, 0.012));
  } else if (disk.flux > 0) {
    addDisk(canvas, disk, old, young, drawTexture(rng, params));
    const bar = { length: params.bar.length / m, angle: params.bar.angle, flux: barFlux };
    addBar(canvas, disk, bar, starlight(params.disk.colour + 0.3));
  }
  addSpheroid(
    canvas,
    {
      x,
      y,
      radius: bulge.radius / m,
      sersic: bulge.sersic,
      axisRatio: bulge.axisRatio,
      angle: params.angle,
      boxiness: bulge.boxiness,
      flux: flux * bulge.fraction,
    },
    starlight(bulge.colour),
  );
  const whole = { ...disk, flux: flux * (1 - bulge.fraction) };
  if (whole.flux > 0) {
    addKnots(rng, canvas, whole, params);
    addClumps(rng, canvas, whole, params);
  }
  addLane(rng, canvas, disk, params);
  addTides(rng, canvas, params, flux);
  addLens(canvas, params, flux);
}

/** Total flux, in noises of a camera pixel, that gives the mean surface brightness asked for. */
function totalFlux(params: GalaxyParameters): number {
  const { bulge, disk, magnification, brightness } = params;
  const f = bulge.fraction;
  const re = f === 1 ? bulge.radius * Math.sqrt(bulge.axisRatio) : 1.678 * disk.radius;
  // An inclined disk is brighter per area than face-on, but not as much as without dust.
  const cos = Math.cos((params.inclination * Math.PI) / 180);
  const facing = f === 1 ? 1 : 0.27 + 0.73 * cos;
  return brightness * facing * 2 * Math.PI * (re / magnification) ** 2;
}

function addLane(rng: Rng, canvas: Canvas, disk: Disk, params: GalaxyParameters): void {
  const elliptical = params.bulge.fraction === 1;
  // In an elliptical the lane is what is left of a small disk it swallowed.
  const host = elliptical
    ? { ...disk, radius: (0.5 * params.bulge.radius) / canvas.magnification, inclination: 84 }
    : disk;
  addDustLane(canvas, host, 3.2 * params.dustLane, rng.normal(0, 0.3));
}

/** The second galaxy of a merger, and the tails that tides draw from both. */
function addTides(rng: Rng, canvas: Canvas, params: GalaxyParameters, flux: number): void {
  const m = canvas.magnification;
  const { companion, disturbance } = params;
  const [cx, cy] = params.centre;
  const colour = starlight(0.35 + 0.5 * params.disk.colour);
  const tail = (x: number, y: number, away: number, share: number): void => {
    addTail(
      canvas,
      {
        x: toCamera(canvas, x),
        y: toCamera(canvas, y),
        start: rng.uniform(10, 20) / m,
        length: rng.uniform(50, 110) / m,
        angle: away + rng.normal(0, 0.4),
        bend: rng.normal(0, 1) + (rng.bool() ? 1.1 : -1.1),
        width: rng.uniform(5, 9) / m,
      },
      flux * share,
      colour,
    );
  };
  if (disturbance > 0) {
    const away = rng.uniform(0, 2 * Math.PI);
    tail(cx, cy, away, 0.14 * disturbance);
    if (rng.bool(0.6)) tail(cx, cy, away + Math.PI + rng.normal(0, 0.7), 0.08 * disturbance);
  }
  if (!(companion.strength > 0)) return;
  const phi = (companion.angle * Math.PI) / 180;
  const x = cx + companion.distance * Math.cos(phi);
  const y = cy + companion.distance * Math.sin(phi);
  addSpheroid(
    canvas,
    {
      x: toCamera(canvas, x),
      y: toCamera(canvas, y),
      radius: (companion.size * 14) / m,
      sersic: rng.uniform(1, 3),
      axisRatio: rng.uniform(0.45, 0.95),
      angle: rng.uniform(0, 180),
      boxiness: 0,
      flux: flux * companion.ratio * companion.strength,
    },
    starlight(params.bulge.colour - rng.uniform(0, 0.35)),
  );
  const share = 0.1 * companion.strength;
  tail(cx, cy, phi + Math.PI, share);
  tail(x, y, phi, share * companion.ratio);
}

/** What lies between us and the galaxy: the star that is taken for it, a trail, an intruding star. */
function addForeground(rng: Rng, canvas: Canvas, optics: Optics, params: GalaxyParameters): void {
  const x = toCamera(canvas, params.centre[0]);
  const y = toCamera(canvas, params.centre[1]);
  const spikes = rng.uniform(0, Math.PI / 2);
  const { intruder, kind, brightness } = params;
  if (kind === "star") {
    const flux = 900 * brightness;
    addBrightStar(canvas, optics, { x, y, flux, rgb: starlight(rng.uniform(0, 1)), angle: spikes });
  } else if (kind === "trail") {
    addTrail(rng, canvas, x, y, 0.15 * brightness);
  } else if (intruder.strength > 0) {
    const phi = (intruder.angle * Math.PI) / 180;
    const d = intruder.distance / canvas.magnification;
    const flux = 0.25 * intruder.strength * totalFlux(params) + 2500;
    const rgb = starlight(rng.uniform(-0.2, 0.6));
    addStar(canvas, optics, x + d * Math.cos(phi), y + d * Math.sin(phi), flux, rgb);
  }
}

function drawOptics(rng: Rng, params: GalaxyParameters): Optics {
  const offset = (): [number, number] => [rng.normal(0, 0.21), rng.normal(0, 0.21)];
  return { fwhm: params.seeing, offsets: [offset(), [0, 0], offset()] };
}

/** Number of events of a mean rate: Knuth's product of uniforms, in pieces, as exp(-mean) is 0 above 745. */
function poisson(rng: Rng, mean: number): number {
  if (mean > 500) return poisson(rng, 500) + poisson(rng, mean - 500);
  const limit = Math.exp(-mean);
  let product = rng.uniform();
  let count = 0;
  while (product > limit) {
    product *= rng.uniform();
    count++;
  }
  return count;
}
