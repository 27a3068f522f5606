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
  for (let y = 0, i = 0; y < height; y++) {
    const [above, row, below] = [rowAt(y - 1), rowAt(y), rowAt(y + 1)];
    let left = 0;
    let middle = Math.fround(above[0]! + 2 * row[0]! + below[0]!);
    for (let x = 1; x < width; x++, i++) {
      const right = Math.fround(above[x]! + 2 * row[x]! + below[x]!);
      out[i] = (left + 2 * middle + right) / 16;
      left = middle;
      middle = right;
    }
    out[i++] = (left + 2 * middle) / 16;
  }
  return { data: out, width, height };
}
