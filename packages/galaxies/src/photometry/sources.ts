import { clean } from "./clean.ts";
import { type Detection, deblend } from "./deblend.ts";
import { createForest } from "./forest.ts";
import { type Channel, toPlane } from "./plane.ts";
import { measureRadii } from "./radii.ts";
import { findRegions, type Regions } from "./regions.ts";
import { estimateSky, subtractSky } from "./sky.ts";
import { smooth } from "./smooth.ts";

/** Options of `detectSources`. */
export interface DetectOptions {
  /** Pixels must rise above the background by this many standard deviations of its noise; 1.5 if left out. */
  readonly threshold?: number;
  /** Objects of fewer connected pixels are noise; 5 if left out. */
  readonly minArea?: number;
}

/** A star, a galaxy or whatever else stands out of the sky. Pixel centres at integers, x right, y down. */
export interface Source {
  /** Barycentre of the pixels above the threshold (X_IMAGE and Y_IMAGE of SExtractor are 1 more: FITS counts from 1). */
  readonly x: number;
  readonly y: number;
  /** Standard deviations of the light along the long and the short axis, in pixels (A_IMAGE, B_IMAGE). */
  readonly a: number;
  readonly b: number;
  /** Angle of the long axis, from x towards y (clockwise on the screen), degrees in (-90, 90] (THETA_IMAGE). */
  readonly theta: number;
  /** Kron's radius in units of a, at least 3.5 (KRON_RADIUS). */
  readonly kron: number;
  /** Petrosian's radius in units of a, at least 3.5 (PETRO_RADIUS). */
  readonly petrosian: number;
  /** Pixels above the threshold, of what was cleaned away beside it too (ISOAREAF_IMAGE). */
  readonly area: number;
  /** Light above the background over these pixels, on the 0..1 scale (FLUX_ISO). */
  readonly flux: number;
}

const MIN_AREA = 5;

/**
 * The objects of an image, measured as SExtractor with its default settings does (Bertin & Arnouts 1996, A&AS 117, 393):
 * background by cells of 64 pixels, a 3 x 3 filter, connected pixels above the threshold, deblended at 32 levels and
 * cleaned; moments, and radii over ellipses.
 *
 * @param channel [height, width], e.g. the green one of an image: `image.pick(null, null, 1)`
 * @throws TypeError for an image that is not two-dimensional or of another type, a threshold or area that is not positive;
 * RangeError for a pixel that is NaN or infinite
 */
export function detectSources(channel: Channel, options: DetectOptions = {}): Source[] {
  const { threshold: sigmas = 1.5, minArea = MIN_AREA } = options;
  if (!(sigmas > 0 && sigmas < Infinity))
    throw new TypeError(
      `detectSources: expected a positive number for threshold but got ${sigmas}`,
    );
  if (!(Number.isInteger(minArea) && minArea > 0))
    throw new TypeError(
      `detectSources: expected a positive integer for minArea but got ${minArea}`,
    );
  const light = toPlane(channel);
  const sky = estimateSky(light);
  subtractSky(light, sky);
  const images = { light, filtered: smooth(light) };
  const threshold = Math.fround(sigmas * sky.noise);
  const regions = findRegions(images.filtered, threshold, minArea);
  const forest = createForest(regions.pixels.length);
  const found = regions.groups.flatMap((group) =>
    deblend(images, regions, group, threshold, forest),
  );
  const detections = clean(images, found, threshold, minArea);

  const owner = ownersOf(regions, detections);
  return detections.map(({ shape, area, flux }, number) => {
    const { x, y, a, b, theta } = shape;
    const { kron, petrosian } = measureRadii(light, shape, owner, number);
    return { x, y, a, b, theta, kron, petrosian, flux, area };
  });
}

/**
 * Whose each pixel of the image is: the number of a detection, -1 for the sky and for what was cleaned away. Groups too
 * small to be a detection are nobody's, but not sky either. The places of the regions, no longer needed, become it.
 */
function ownersOf(
  { pixels, groups, place }: Regions,
  detections: readonly Detection[],
): Int32Array {
  const nobody = detections.length;
  const owner = place.fill(-1);
  for (let i = 0; i < pixels.length; i++) owner[pixels[i]!] = nobody;
  for (const [from, to] of groups) for (let i = from; i < to; i++) owner[pixels[i]!] = -1;
  detections.forEach((detection, number) => {
    for (let i = 0; i < detection.pixels.length; i++) owner[detection.pixels[i]!] = number;
  });
  return owner;
}
