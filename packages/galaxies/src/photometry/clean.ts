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
  /** How far it rises above the threshold; none for less than `minArea` pixels. */
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
  const kept: Entry[] = [];
  for (const detection of detections) {
    const { area, flux, filteredFlux, x, y, a } = detection.shape;
    const enough = area >= minArea;
    const margin = enough ? heightOf(filtered.data, detection.pixels, minArea) - threshold : 0;
    const entry: Entry = { detection, x, y, a, area, flux, filteredFlux, margin };
    const swallowed: number[] = [];
    let swallower: Entry | undefined;
    for (let k = 0; k < kept.length; k++) {
      const other = kept[k]!;
      const limit = REACH * (a + other.a);
      const dx = x - other.x;
      const dy = y - other.y;
      if (dx * dx + dy * dy >= limit * limit) continue;
      if (other.filteredFlux < filteredFlux) {
        if (wing(entry, dx, dy, threshold) > other.margin) swallowed.push(k);
      } else if (wing(other, dx, dy, threshold) > entry.margin) {
        swallower = other;
        break;
      }
    }
    if (swallower) {
      swallow(swallower, entry);
      continue;
    }
    for (const k of swallowed.toReversed()) {
      swallow(entry, kept[k]!);
      const last = kept.pop()!;
      if (k < kept.length) kept[k] = last;
    }
    kept.push(entry);
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

/**
 * How high an object rises: about the n-th brightest of its at least n pixels. SExtractor keeps the n brightest in a heap,
 * but skips the pixel at which it sorts the heap, and sifts past the children: of five it is mostly the third brightest.
 * What is cleaned away follows from that, so it is done in the same way here.
 */
function heightOf(data: Float32Array, pixels: Int32Array, n: number): number {
  const heap = Float32Array.from(pixels.subarray(0, n), (pixel) => data[pixel]!);
  if (pixels.length > n) heap.sort();
  for (let i = n + 1; i < pixels.length; i++) {
    const value = data[pixels[i]!]!;
    if (value <= heap[0]!) continue;
    heap[0] = value;
    for (let at = 0, child = 2; child <= n; child = 2 * (at + 1)) {
      const lower = child < n && heap[child - 1]! > heap[child]! ? child : child - 1;
      if (heap[at]! <= heap[lower]!) break;
      heap[at] = heap[lower]!;
      heap[lower] = value;
      at = lower + 1;
    }
  }
  return heap[0]!;
}
