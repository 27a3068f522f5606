import type { Plane } from "./plane.ts";
import type { Shape } from "./shape.ts";

/** Both radii are looked for within this many standard deviations. */
const REACH = 6;
const KRON_FACTOR = 2.5;
const PETROSIAN_FACTOR = 2;
/** Brightness of the ring over the mean within it, at the Petrosian radius. */
const PETROSIAN_ETA = 0.2;
const SMALLEST = 3.5;
const { fround } = Math;

/** A ring whose brightness is compared with that of the disc up to its middle radius; places in EDGES. */
interface Ring {
  inner: number;
  middle: number;
  outer: number;
  /** The middle radius. */
  radius: number;
}

/** All radii where a ring or a disc begins or ends, squared and ascending; zone k lies between edges k-1 and k. */
const { EDGES, RINGS } = zoneRings();
const ZONES_PER_UNIT = 64;
/** The first zone that may hold a squared radius of 0 ... 36, in steps of 1/64. */
const FIRST_ZONE: Uint8Array = Uint8Array.from(
  { length: REACH * REACH * ZONES_PER_UNIT + 1 },
  (_, i) => {
    const zone = EDGES.findIndex((edge) => edge > i / ZONES_PER_UNIT);
    return zone < 0 ? EDGES.length : zone;
  },
);

/** In units of a (and b along the short axis): what KRON_RADIUS and PETRO_RADIUS of SExtractor hold. */
export interface Radii {
  readonly kron: number;
  readonly petrosian: number;
}

/**
 * Kron's radius (1980, ApJS 43, 305), 2.5 times the mean radius weighted by light, and Petrosian's (1976, ApJ 209, L1),
 * twice the radius at which the ring has a fifth of the brightness within; both over ellipses of the object's shape up to
 * 6 standard deviations, at least 3.5. Pixels that belong to other objects are left out.
 *
 * @param owner for each pixel of the image: -1 where there is no object, else its number
 */
export function measureRadii(
  { data, width, height }: Plane,
  { x, y, ellipse }: Shape,
  owner: Int32Array,
  number: number,
): Radii {
  const { xx, yy, xy } = ellipse;
  const reachX = extent(xx, yy, xy);
  const reachY = extent(yy, xx, xy);
  const left = Math.max(0, Math.floor(x - reachX + 0.5));
  const right = Math.min(width, Math.floor(x + reachX + 0.5) + 1);
  const top = Math.max(0, Math.floor(y - reachY + 0.5));
  const bottom = Math.min(height, Math.floor(y + reachY + 0.5) + 1);
  const zones = EDGES.length + 1;
  const light = new Float64Array(zones);
  const area = new Float64Array(zones);
  let moment = 0;
  let total = 0;
  for (let row = top; row < bottom; row++) {
    const dy = row - y;
    const ofRow = yy * dy * dy;
    const slope = xy * dy;
    for (let column = left, i = row * width + left; column < right; column++, i++) {
      const dx = column - x;
      const square = (xx * dx + slope) * dx + ofRow;
      if (square > REACH * REACH) continue;
      const whose = owner[i]!;
      if (whose >= 0 && whose !== number) continue;
      const value = data[i]!;
      moment += Math.sqrt(square) * value;
      total += value;
      let zone = FIRST_ZONE[(square * ZONES_PER_UNIT) | 0]!;
      while (square >= EDGES[zone]!) zone++;
      light[zone]! += value;
      area[zone]!++;
    }
  }
  const kron = moment > 0 && total > 0 ? (KRON_FACTOR * moment) / total : 0;
  const petrosian = petrosianRadius(light, area);
  return { kron: Math.max(SMALLEST, kron), petrosian: Math.max(SMALLEST, petrosian) };
}

/** Half the extent along an axis of the ellipse of REACH standard deviations. */
function extent(along: number, across: number, mixed: number): number {
  const square = along - (mixed * mixed) / (4 * across);
  return square > 0 ? REACH / Math.sqrt(square) : 0;
}

/** From light and area of the zones, which are summed up in place. */
function petrosianRadius(light: Float64Array, area: Float64Array): number {
  for (let zone = 1; zone < light.length; zone++) {
    light[zone]! += light[zone - 1]!;
    area[zone]! += area[zone - 1]!;
  }
  let radius = 0;
  for (const ring of RINGS) {
    const { inner, middle, outer } = ring;
    const around = (light[outer]! - light[inner]!) / (area[outer]! - area[inner]!);
    const within = light[middle]! / area[middle]!;
    // Rings without a pixel say nothing; should the last be one, the radius is unknown.
    radius = around && within ? ring.radius : 0;
    if (around < PETROSIAN_ETA * within) break;
  }
  return PETROSIAN_FACTOR * radius;
}

/** Inner radii in steps of a twentieth of the reach, outer ones 1.2 times as far, in SExtractor's precision. */
function zoneRings(): { EDGES: Float64Array; RINGS: readonly Ring[] } {
  const radii = [];
  const step = fround(REACH / 20);
  for (let inner = step; fround(inner * 1.2) < REACH; inner = fround(inner + step)) {
    const outer = fround(inner * 1.2);
    radii.push({ inner, middle: fround((inner + outer) / 2), outer });
  }
  const squares = radii.flatMap(({ inner, middle, outer }) => [
    inner ** 2,
    middle ** 2,
    outer ** 2,
  ]);
  const EDGES = Float64Array.from(new Set(squares)).sort();
  const place = (radius: number): number => EDGES.indexOf(radius ** 2);
  const RINGS = radii.map(({ inner, middle, outer }) => ({
    inner: place(inner),
    middle: place(middle),
    outer: place(outer),
    radius: middle,
  }));
  return { EDGES, RINGS };
}
