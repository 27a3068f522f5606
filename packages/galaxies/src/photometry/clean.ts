import type { Detection } from "./deblend.ts";
import type { Images } from "./shape.ts";

/** Objects farther apart than this many long axes do not disturb each other. */
const REACH = 10;

/** A detection that is there by itself, with the pixels and the light of those that it swallowed. */
export interface CleanDetection extends Detection {
  readonly area: number;
  readonly flux: number;
}

/** The same while others may still be swallowed. */
interface Entry {
  readonly detection: Detection;
  readonly x: number;
  readonly y: number;
  readonly a: number;
  area: number;
  flux: number;
  filteredFlux: number;
  /** Height above the threshold that `minArea` pixels reach. */
  readonly margin: number;
}

/**
 * Without the objects that would not be there but for the wings of a brighter neighbour (SExtractor's CLEAN, with its
 * default slope of 1): one is dropped when the neighbour's light at its place, a Moffat profile of the neighbour's size and
 * brightness, is more than it rises above the threshold.
 */
export function clean(
  { filtered }: Images,
  detections: readonly Detection[],
  threshold: number,
  minArea: number,
): CleanDetection[] {
  let kept: Entry[] = [];
  for (const detection of detections) {
    const { area, flux, filteredFlux, x, y, a } = detection.shape;
    const enough = area >= minArea;
    const margin = enough ? nthBrightest(filtered.data, detection.pixels, minArea) - threshold : 0;
    const entry: Entry = { detection, x, y, a, area, flux, filteredFlux, margin };
    const swallowed: Entry[] = [];
    let swallower: Entry | undefined;
    for (const other of kept) {
      const limit = REACH * (a + other.a);
      const dx = x - other.x;
      const dy = y - other.y;
      if (dx * dx + dy * dy >= limit * limit) continue;
      if (other.filteredFlux < filteredFlux) {
        if (wing(entry, dx, dy, threshold) > other.margin) swallowed.push(other);
      } else if (wing(other, dx, dy, threshold) > entry.margin) {
        swallower = other;
        break;
      }
    }
    if (swallower) swallow(swallower, entry);
    else {
      for (const other of swallowed) swallow(entry, other);
      if (swallowed.length > 0) kept = kept.filter((other) => !swallowed.includes(other));
      kept.push(entry);
    }
  }
  return kept.map(({ detection, area, flux }) => ({ ...detection, area, flux }));
}

/** Light of an object at a distance, extrapolated from its size and flux; none where it is not above the threshold. */
function wing(
  { detection, filteredFlux, area }: Entry,
  dx: number,
  dy: number,
  threshold: number,
): number {
  const { a, b, ellipse, concentration } = detection.shape;
  const unitArea = Math.PI * a * b;
  const height = filteredFlux / (2 * unitArea * concentration);
  const slope = ((height / threshold - 1) * unitArea) / area;
  const value = 1 + slope * (ellipse.xx * dx * dx + ellipse.yy * dy * dy + ellipse.xy * dx * dy);
  return value > 1 && value < 1e10 ? height / value : -Infinity;
}

function swallow(entry: Entry, other: Entry): void {
  entry.area += other.area;
  entry.flux += other.flux;
  entry.filteredFlux += other.filteredFlux;
}

/** The n-th brightest of some pixels; -Infinity when there are fewer. */
function nthBrightest(data: Float32Array, pixels: Int32Array, n: number): number {
  const brightest = new Float64Array(n).fill(-Infinity);
  for (let i = 0; i < pixels.length; i++) {
    const value = data[pixels[i]!]!;
    if (value <= brightest[n - 1]!) continue;
    let k = n - 1;
    for (; k > 0 && brightest[k - 1]! < value; k--) brightest[k] = brightest[k - 1]!;
    brightest[k] = value;
  }
  return brightest[n - 1]!;
}
