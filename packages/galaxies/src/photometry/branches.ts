/**
 * Where an object falls apart into several as the threshold rises (Bertin & Arnouts 1996, section 5): 32 thresholds,
 * even in the logarithm from the detection threshold to the peak. A part is an object of its own when it, and at least
 * one other part of the same whole, hold more than 0.005 of the object's flux above the threshold where they meet.
 *
 * The tree is grown from the top: pixels are added from bright to faint, and the parts that they touch merge.
 */
import type { Forest } from "./forest.ts";
import type { Plane } from "./plane.ts";
import type { Regions } from "./regions.ts";

const LEVELS = 32;
const CONTRAST = 0.005;
/** Parts of fewer pixels are none. */
const MIN_AREA = 3;

/** A part as it is at one level; its pixels are a piece of the forest's list. */
interface Part {
  first: number;
  count: number;
  flux: number;
  /** Still one object: nothing above this level has fallen apart. */
  whole: boolean;
  /** What it was at the level above. */
  children: Part[];
}

/** A separate object: its pixels above the threshold at which it stood alone. */
export interface Branch {
  readonly pixels: Int32Array;
  readonly threshold: number;
}

/**
 * The separate objects within a group of pixels; none when the group is one object.
 *
 * @param forest one for the places of all pixels of the regions, shared by the groups
 */
export function findBranches(
  filtered: Plane,
  regions: Regions,
  [from, to]: readonly [number, number],
  threshold: number,
  forest: Forest,
): Branch[] {
  const branches: Branch[] = [];
  if (to - from <= 2 * MIN_AREA) return branches;
  const { data } = filtered;
  const { pixels } = regions;
  let flux = 0;
  let peak = -Infinity;
  for (let place = from; place < to; place++) {
    const value = data[pixels[place]!]!;
    flux += value;
    if (value > peak) peak = value;
  }
  const thresholds = Float32Array.from(
    { length: LEVELS },
    (_, k) => threshold * (peak / threshold) ** (k / LEVELS),
  );
  const { order, ends } = sortByLevel(filtered, regions, from, to, thresholds);
  let parts: Part[] = [];
  for (let level = LEVELS - 1, start = 0; level >= 0; level--) {
    const end = ends[level]!;
    if (start === end) continue; // every part stays as it was
    for (let k = start; k < end; k++) grow(filtered, regions, forest, order[k]!);
    parts = partsNow(forest, parts, order.subarray(start, end));
    const above = thresholds[level + 1]!;
    for (const part of parts) {
      const high = part.children.filter(
        (child) => child.flux - above * child.count > flux * CONTRAST,
      );
      part.whole = high.length < 2 && part.children.every((child) => child.whole);
      if (high.length < 2) continue;
      for (const child of high)
        if (child.whole)
          branches.push({ pixels: pixelsOf(child, regions, forest), threshold: above });
    }
    start = end;
  }
  return branches;
}

/** Adds a pixel, by its place in the regions, and joins it to those of its neighbours that are there. */
function grow(
  { data, width }: Plane,
  { pixels, place }: Regions,
  forest: Forest,
  at: number,
): void {
  const pixel = pixels[at]!;
  forest.add(at, data[pixel]!);
  let root = at;
  const x = pixel % width;
  const left = x > 0 ? -1 : 0;
  const right = x < width - 1 ? 1 : 0;
  for (let line = pixel - width; line <= pixel + width; line += width)
    for (let i = line + left; i <= line + right; i++) {
      const neighbour = place[i] ?? -1; // beyond the first and the last row there is none
      if (neighbour < 0 || !forest.has(neighbour)) continue;
      const other = forest.find(neighbour);
      if (other !== root) root = forest.join(root, other);
    }
}

/** The parts after the pixels of a level were added, each with the earlier ones that are in it. */
function partsNow(forest: Forest, earlier: readonly Part[], added: Int32Array): Part[] {
  const parts = new Map<number, Part>();
  const partOf = (item: number): Part | undefined => {
    const root = forest.find(item);
    const count = forest.size(root);
    if (count < MIN_AREA) return undefined;
    let part = parts.get(root);
    if (!part) {
      const [first, flux] = [forest.first(root), forest.sum(root)];
      part = { first, count, flux, whole: true, children: [] };
      parts.set(root, part);
    }
    return part;
  };
  for (const part of earlier) partOf(part.first)?.children.push(part);
  // Of the pixels that were added most lie in the same part as the one before them.
  for (let k = 0, last = -1; k < added.length; k++) {
    const root = forest.find(added[k]!);
    if (root !== last) partOf(root);
    last = root;
  }
  return [...parts.values()];
}

function pixelsOf({ first, count }: Part, { pixels }: Regions, forest: Forest): Int32Array {
  const own = new Int32Array(count);
  for (let k = 0, place = first; k < count; k++, place = forest.next(place))
    own[k] = pixels[place]!;
  return own;
}

/** The places of a group from the highest level down, and where each level ends. */
function sortByLevel(
  { data }: Plane,
  { pixels }: Regions,
  from: number,
  to: number,
  thresholds: Float32Array,
): { order: Int32Array; ends: Int32Array } {
  const levels = new Uint8Array(to - from);
  const counts = new Int32Array(LEVELS);
  for (let place = from; place < to; place++) {
    const value = data[pixels[place]!]!;
    let [low, high] = [0, LEVELS];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (value > thresholds[middle]!) low = middle;
      else high = middle;
    }
    levels[place - from] = low;
    counts[low]!++;
  }
  const ends = new Int32Array(LEVELS);
  for (let k = LEVELS - 1, sum = 0; k >= 0; sum += counts[k]!, k--) ends[k] = sum;
  const order = new Int32Array(to - from);
  for (let i = 0; i < order.length; i++) order[ends[levels[i]!]!++] = from + i;
  return { order, ends };
}
