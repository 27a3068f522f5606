import { findBranches } from "./branches.ts";
import type { Forest } from "./forest.ts";
import type { Regions } from "./regions.ts";
import { type Images, measureShape, type Shape } from "./shape.ts";

/** An object of the image: which pixels are its own, ascending, and their moments. */
export interface Detection {
  readonly pixels: Int32Array;
  readonly shape: Shape;
}

/**
 * The objects within a group of pixels (`forest`: see `findBranches`). Where there are several, each first owns the pixels above the level at which it
 * stood alone; the faint ones between go to one or another by chance, in proportion to the Gaussians that describe what
 * they own. SExtractor throws dice; here a fixed pattern of even spread decides, so that an image always gives the same.
 */
export function deblend(
  images: Images,
  regions: Regions,
  group: readonly [from: number, to: number],
  threshold: number,
  forest: Forest,
): Detection[] {
  const whole = regions.pixels.subarray(...group);
  const branches = findBranches(images.filtered, regions, group, threshold, forest);
  if (branches.length === 0)
    return [{ pixels: whole, shape: measureShape(images, whole, threshold) }];
  const cores = branches.map(({ pixels, threshold }) => measureShape(images, pixels, threshold));
  const heights = cores.map(({ area, a, b, concentration, filteredPeak }) => {
    const exponent = area / (2 * Math.PI * concentration * a * b);
    return Math.min(threshold * Math.exp(exponent), 4 * filteredPeak);
  });
  const { place } = regions;
  const owned = new Uint8Array(whole.length);
  for (const { pixels } of branches)
    for (let i = 0; i < pixels.length; i++) owned[place[pixels[i]!]! - group[0]] = 1;
  const shares: number[][] = branches.map(() => []);
  const { width } = images.light;
  const chances = new Float64Array(cores.length);
  for (let i = 0; i < whole.length; i++) {
    if (owned[i]) continue;
    const pixel = whole[i]!;
    const y = (pixel / width) | 0;
    const x = pixel - y * width;
    shares[chooseOwner(cores, heights, chances, x, y)]!.push(pixel);
  }
  return branches.map(({ pixels: own }, i) => {
    const share = shares[i]!;
    const pixels = new Int32Array(own.length + share.length);
    pixels.set(own);
    pixels.set(share, own.length);
    pixels.sort();
    return { pixels, shape: measureShape(images, pixels, threshold, cores[i]) };
  });
}

function chooseOwner(
  cores: readonly Shape[],
  heights: readonly number[],
  chances: Float64Array,
  x: number,
  y: number,
): number {
  let total = 0;
  let nearest = 0;
  let least = Infinity;
  for (let i = 0; i < cores.length; i++) {
    const { x: centreX, y: centreY, ellipse, concentration } = cores[i]!;
    const dx = x - centreX;
    const dy = y - centreY;
    const radius = ellipse.xx * dx * dx + ellipse.yy * dy * dy + ellipse.xy * dx * dy;
    const distance = radius / (2 * concentration);
    if (distance < least) {
      least = distance;
      nearest = i;
    }
    total += distance < 70 ? heights[i]! * Math.exp(-distance) : 0;
    chances[i] = total;
  }
  if (!(total > 1e-31)) return nearest;
  const draw = total * evenSpread(x, y);
  const owner = chances.findIndex((sum) => sum >= draw);
  return owner < 0 ? nearest : owner;
}

/** A number in [0, 1) for each pixel, spread evenly over any neighbourhood (the R2 sequence of M. Roberts). */
function evenSpread(x: number, y: number): number {
  return (x * 0.7548776662466927 + y * 0.5698402909980532) % 1;
}
