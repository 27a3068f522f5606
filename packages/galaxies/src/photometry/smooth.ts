import type { Plane } from "./plane.ts";

/**
 * The image through SExtractor's default filter, [1 2 1; 2 4 2; 1 2 1] / 16: what is about as large as a star stands out
 * of the noise. Beyond the edges lies nothing (0).
 */
export function smooth({ data, width, height }: Plane): Plane {
  const out = new Float32Array(data.length);
  const beyond = new Float32Array(width);
  const rowAt = (y: number): Float32Array =>
    y < 0 || y === height ? beyond : data.subarray(y * width, (y + 1) * width);
  const column = new Float32Array(width + 2);
  for (let y = 0; y < height; y++) {
    const [above, row, below] = [rowAt(y - 1), rowAt(y), rowAt(y + 1)];
    for (let x = 0; x < width; x++) column[x + 1] = above[x]! + 2 * row[x]! + below[x]!;
    for (let x = 0, i = y * width; x < width; x++, i++)
      out[i] = (column[x]! + 2 * column[x + 1]! + column[x + 2]!) / 16;
  }
  return { data: out, width, height };
}
