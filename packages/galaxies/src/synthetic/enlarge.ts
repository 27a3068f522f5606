import { type Canvas, toCamera } from "./canvas.ts";

/**
 * Resamples the camera's picture [n, n, 3] to a frame of `size` pixels by cubic convolution
 * (Keys 1981, a = -1/2), rounded to bytes. `size` 424 is the survey's; others show the same field.
 */
export function enlarge(canvas: Canvas, picture: Float32Array, size: number): Uint8Array {
  const n = canvas.size;
  const first = new Int32Array(size);
  const weights = new Float64Array(4 * size);
  for (let i = 0; i < size; i++) {
    const x = toCamera(canvas, ((i + 0.5) * 424) / size - 0.5);
    const x0 = Math.floor(x);
    const t = x - x0;
    first[i] = x0 - 1;
    weights[4 * i] = t * (-0.5 + t * (1 - 0.5 * t));
    weights[4 * i + 1] = 1 + t * t * (1.5 * t - 2.5);
    weights[4 * i + 2] = t * (0.5 + t * (2 - 1.5 * t));
    weights[4 * i + 3] = t * t * (0.5 * t - 0.5);
  }

  // The last four widened rows, reused: row y lies in rows[y % 4].
  const length = 3 * size;
  const rows = Array.from({ length: 4 }, () => new Float64Array(length));
  let widened = first[0]!;
  const out = new Uint8ClampedArray(size * length);
  for (let j = 0; j < size; j++) {
    const y = first[j]!;
    for (; widened < y + 4; widened++)
      widen(picture, 3 * n * widened, first, weights, rows[widened % 4]!);
    const a = rows[y % 4]!;
    const b = rows[(y + 1) % 4]!;
    const c = rows[(y + 2) % 4]!;
    const d = rows[(y + 3) % 4]!;
    const wa = weights[4 * j]!;
    const wb = weights[4 * j + 1]!;
    const wc = weights[4 * j + 2]!;
    const wd = weights[4 * j + 3]!;
    const to = j * length;
    for (let i = 0; i < length; i++)
      out[to + i] = wa * a[i]! + wb * b[i]! + wc * c[i]! + wd * d[i]!;
  }
  return new Uint8Array(out.buffer);
}

function widen(
  picture: Float32Array,
  from: number,
  first: Int32Array,
  weights: Float64Array,
  row: Float64Array,
): void {
  const size = first.length;
  for (let i = 0; i < size; i++) {
    const p = from + 3 * first[i]!;
    const wa = weights[4 * i]!;
    const wb = weights[4 * i + 1]!;
    const wc = weights[4 * i + 2]!;
    const wd = weights[4 * i + 3]!;
    row[3 * i] =
      wa * picture[p]! + wb * picture[p + 3]! + wc * picture[p + 6]! + wd * picture[p + 9]!;
    row[3 * i + 1] =
      wa * picture[p + 1]! + wb * picture[p + 4]! + wc * picture[p + 7]! + wd * picture[p + 10]!;
    row[3 * i + 2] =
      wa * picture[p + 2]! + wb * picture[p + 5]! + wc * picture[p + 8]! + wd * picture[p + 11]!;
  }
}
