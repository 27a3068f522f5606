/**
 * What galaxies look like on the whole, so that pictures can be sought among such as might be galaxies: by distance from
 * the middle, how bright each colour is and how much it varies, and how colours vary together.
 */
export interface Prior {
  /** Pixels a side. */
  side: number;
  /** [side, side, 3] */
  mean: Float32Array;
  deviation: Float32Array;
  /** Lower triangle L of the colours' correlation L L', by rows: 6 numbers. */
  color: readonly number[];
}

/** @param pictures galaxies [side, side, 3], in the middle. */
export function estimatePrior(pictures: readonly Float32Array[], side: number): Prior {
  const middle = (side - 1) / 2;
  const ring = Array.from({ length: side * side }, (_, pixel) =>
    Math.round(Math.hypot((pixel % side) - middle, Math.floor(pixel / side) - middle)),
  );
  const rings = Math.max(...ring) + 1;
  const counts = new Float64Array(rings);
  for (const r of ring) counts[r]! += pictures.length;
  const overRings = (of: (value: number, i: number) => number) => {
    const sums = new Float64Array(3 * rings);
    for (const picture of pictures)
      for (let i = 0; i < picture.length; i++)
        sums[3 * ring[Math.floor(i / 3)]! + (i % 3)]! += of(picture[i]!, i);
    const profile = sums.map((sum, k) => sum / counts[Math.floor(k / 3)]!);
    return Float32Array.from(
      { length: side * side * 3 },
      (_, i) => profile[3 * ring[Math.floor(i / 3)]! + (i % 3)]!,
    );
  };
  const mean = overRings((value) => value);
  // A thousandth, so that black borders do not divide by 0.
  const deviation = overRings((value, i) => (value - mean[i]!) ** 2).map(
    (v) => Math.sqrt(v) + 1e-3,
  );
  return { side, mean, deviation, color: cholesky(correlation(pictures, mean, deviation)) };
}

/** The picture of a point z [side, side, 3] of this prior, z being standard normal for galaxies; into `picture`. */
export function pictureOf(
  { mean, deviation, color: [a, b, c, d, e, f] }: Prior,
  z: Float32Array,
  picture: Float32Array,
): void {
  for (let i = 0; i < z.length; i += 3) {
    const [x, y, w] = [z[i]!, z[i + 1]!, z[i + 2]!];
    picture[i] = mean[i]! + deviation[i]! * a! * x;
    picture[i + 1] = mean[i + 1]! + deviation[i + 1]! * (b! * x + c! * y);
    picture[i + 2] = mean[i + 2]! + deviation[i + 2]! * (d! * x + e! * y + f! * w);
  }
}

/** Takes a gradient by the picture to one by z, in place: the transpose of pictureOf. */
export function gradientOf(
  { deviation, color: [a, b, c, d, e, f] }: Prior,
  gradient: Float32Array,
): void {
  for (let i = 0; i < gradient.length; i += 3) {
    const x = gradient[i]! * deviation[i]!;
    const y = gradient[i + 1]! * deviation[i + 1]!;
    const w = gradient[i + 2]! * deviation[i + 2]!;
    gradient[i] = a! * x + b! * y + d! * w;
    gradient[i + 1] = c! * y + e! * w;
    gradient[i + 2] = f! * w;
  }
}

/** Of the three colours' deviations, in units of their own: 1 on the diagonal. */
function correlation(
  pictures: readonly Float32Array[],
  mean: Float32Array,
  deviation: Float32Array,
): number[][] {
  const sums = [0, 1, 2].map(() => [0, 0, 0]);
  for (const picture of pictures)
    for (let i = 0; i < picture.length; i += 3) {
      const own = [0, 1, 2].map((k) => (picture[i + k]! - mean[i + k]!) / deviation[i + k]!);
      for (let k = 0; k < 3; k++) for (let l = 0; l <= k; l++) sums[k]![l]! += own[k]! * own[l]!;
    }
  return sums.map((row, k) => row.map((sum, l) => sum / Math.sqrt(sums[k]![k]! * sums[l]![l]!)));
}

/** Of a 3 x 3 correlation's lower triangle; colours that always vary together leave 0 for the rest. */
function cholesky(m: number[][]): number[] {
  const b = m[1]![0]!;
  const c = Math.sqrt(Math.max(0, 1 - b * b));
  const d = m[2]![0]!;
  const e = c > 0 ? (m[2]![1]! - d * b) / c : 0;
  return [1, b, c, d, e, Math.sqrt(Math.max(0, 1 - d * d - e * e))];
}
