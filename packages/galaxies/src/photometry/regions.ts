import type { Plane } from "./plane.ts";

/** The pixels of an image above a threshold, in groups that hang together. */
export interface Regions {
  /** Pixel numbers y * width + x, group by group, ascending in each. */
  readonly pixels: Int32Array;
  /** Where each group of at least the smallest area lies in `pixels`, [from, to); in the order of their last pixels. */
  readonly groups: readonly (readonly [from: number, to: number])[];
  /** Place of each pixel of the image in `pixels`; -1 where it lies below the threshold. */
  readonly place: Int32Array;
}

/** Pixels above a threshold, joined with their eight neighbours. */
export function findRegions(image: Plane, threshold: number, minArea: number): Regions {
  const { data, width, height } = image;
  const place = new Int32Array(data.length).fill(-1);
  const pixels = new Int32Array(data.length);
  const groups: [number, number][] = [];
  let to = 0;
  for (let seed = 0; seed < data.length; seed++) {
    if (!(data[seed]! > threshold && place[seed]! < 0)) continue;
    const from = to;
    place[seed] = to;
    pixels[to++] = seed;
    // The list of what was found is the queue of what is to be looked around from.
    for (let next = from; next < to; next++) {
      const pixel = pixels[next]!;
      const y = (pixel / width) | 0;
      const x = pixel - y * width;
      const left = x > 0 ? -1 : 0;
      const right = x < width - 1 ? 1 : 0;
      for (let dy = y > 0 ? -1 : 0; dy <= (y < height - 1 ? 1 : 0); dy++)
        for (let i = pixel + dy * width + left; i <= pixel + dy * width + right; i++)
          if (data[i]! > threshold && place[i]! < 0) {
            place[i] = to;
            pixels[to++] = i;
          }
    }
    if (to - from < minArea) continue;
    pixels.subarray(from, to).sort();
    groups.push([from, to]);
  }
  for (let i = 0; i < to; i++) place[pixels[i]!] = i;
  groups.sort(([, a], [, b]) => pixels[a - 1]! - pixels[b - 1]!);
  return { pixels: pixels.subarray(0, to), groups, place };
}
