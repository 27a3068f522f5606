import type { Plane } from "./plane.ts";

/** What the pixels of an object say about it; pixel centres at integers, x right, y down. */
export interface Shape {
  /** Pixels. */
  readonly area: number;
  /** Sum of the filtered pixels. */
  readonly filteredFlux: number;
  /** Brightest filtered pixel. */
  readonly filteredPeak: number;
  /** Sum of the pixels themselves. */
  readonly flux: number;
  /** Brightest pixel. */
  readonly peak: number;
  /** Barycentre. */
  readonly x: number;
  readonly y: number;
  /** Standard deviations along the long and the short axis. */
  readonly a: number;
  readonly b: number;
  /** Angle of the long axis from x towards y, degrees in (-90, 90]. */
  readonly theta: number;
  /** The ellipse: xx dx^2 + yy dy^2 + xy dx dy is 1 at one standard deviation. */
  readonly ellipse: Ellipse;
  /** Area at half height over that of a Gaussian of this a and b, at most 1. */
  readonly concentration: number;
}

/** Squared elliptical radius of (dx, dy): xx dx^2 + yy dy^2 + xy dx dy. */
interface Ellipse {
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

/** The two images that are measured: without the background, and filtered as well. */
export interface Images {
  readonly light: Plane;
  readonly filtered: Plane;
}

/** Variance below which an object counts as a point or a line: a pixel's own, 1/12, is then added. */
const SINGULAR = 0.00694;

/**
 * First and second moments over an object's pixels, weighted by the filtered image (X_IMAGE, A_IMAGE, ... of SExtractor).
 *
 * @param threshold what all these pixels lie above
 * @param centre the barycentre to keep, of an object that was cut out of a larger one
 */
export function measureShape(
  { light, filtered }: Images,
  pixels: Int32Array,
  threshold: number,
  centre?: { readonly x: number; readonly y: number },
): Shape {
  const { width } = light;
  let [flux, peak, filteredFlux, filteredPeak] = [0, -Infinity, 0, -Infinity];
  let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
  // Moments about a pixel of the object: sums of large squares would lose digits.
  const originY = (pixels[0]! / width) | 0;
  const originX = pixels[0]! - originY * width;
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i]!;
    const row = (pixel / width) | 0;
    const y = row - originY;
    const x = pixel - row * width - originX;
    const value = light.data[pixel]!;
    const weight = filtered.data[pixel]!;
    flux += value;
    if (value > peak) peak = value;
    filteredFlux += weight;
    if (weight > filteredPeak) filteredPeak = weight;
    sx += weight * x;
    sy += weight * y;
    sxx += weight * x * x;
    syy += weight * y * y;
    sxy += weight * x * y;
  }
  const meanX = sx / filteredFlux;
  const meanY = sy / filteredFlux;
  const x = centre ? centre.x - originX : meanX;
  const y = centre ? centre.y - originY : meanY;
  let xx = sxx / filteredFlux - 2 * meanX * x + x * x;
  let yy = syy / filteredFlux - 2 * meanY * y + y * y;
  const xy = sxy / filteredFlux - meanX * y - meanY * x + x * y;
  if (xx * yy - xy * xy < SINGULAR) {
    xx += 1 / 12;
    yy += 1 / 12;
  }
  const determinant = xx * yy - xy * xy;
  const half = Math.hypot((xx - yy) / 2, xy);
  const a = Math.sqrt((xx + yy) / 2 + half);
  const b = Math.sqrt(Math.max(0, (xx + yy) / 2 - half));
  const theta = xx === yy ? 45 : (Math.atan2(2 * xy, xx - yy) * 90) / Math.PI;
  return {
    area: pixels.length,
    filteredFlux,
    filteredPeak,
    flux,
    peak,
    x: x + originX,
    y: y + originY,
    a,
    b,
    theta,
    ellipse: { xx: yy / determinant, yy: xx / determinant, xy: (-2 * xy) / determinant },
    concentration: concentration(light.data, pixels, threshold, peak, a * b),
  };
}

/** From the areas above the threshold and above the middle between it and the peak. */
function concentration(
  data: Float32Array,
  pixels: Int32Array,
  threshold: number,
  peak: number,
  ab: number,
): number {
  const middle = (threshold + peak) / 2;
  const ratio = threshold / middle;
  if (!(ratio > 0)) return 1;
  let difference = 0;
  for (let i = 0; i < pixels.length; i++) {
    const value = data[pixels[i]!]!;
    if (value > middle) difference++;
    if (value > threshold) difference--;
  }
  const lost = difference < 0 ? difference : -1;
  return Math.min(1, lost / (2 * Math.PI * Math.log(ratio < 1 ? ratio : 0.99) * ab));
}
