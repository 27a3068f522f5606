/** An eigenvalue and its eigenvector of length 1. */
export interface Eigenpair {
  readonly value: number;
  readonly vector: number[];
}

/**
 * Eigenpairs of a symmetric matrix, largest first, by cyclic Jacobi rotations (Golub & Van Loan,
 * Matrix Computations, 8.5); for matrices as small as an image has channels. A vector's largest
 * element is positive, so that the answer does not hang on the order of the rotations.
 */
export function symmetricEigen(matrix: readonly (readonly number[])[]): Eigenpair[] {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = matrix.map((_, i) => matrix.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 50 && offDiagonal(a) > 0; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, p, q);
  return a
    .map((row, k) => ({ value: row[k]!, vector: withPositivePeak(v.map((r) => r[k]!)) }))
    .sort((x, y) => y.value - x.value);
}

/** Turns the plane (p, q) so that a[p][q] becomes 0, and the eigenvectors with it. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const apq = a[p]![q]!;
  if (apq === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(t * t + 1);
  const sin = t * cos;
  for (const row of [...a, ...v]) {
    const x = row[p]!;
    const y = row[q]!;
    row[p] = cos * x - sin * y;
    row[q] = sin * x + cos * y;
  }
  for (let k = 0; k < a.length; k++) {
    const x = a[p]![k]!;
    const y = a[q]![k]!;
    a[p]![k] = cos * x - sin * y;
    a[q]![k] = sin * x + cos * y;
  }
  a[p]![q] = a[q]![p] = 0;
}

function offDiagonal(a: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let p = 0; p < a.length; p++) for (let q = 0; q < p; q++) sum += a[p]![q]! ** 2;
  return sum;
}

function withPositivePeak(vector: number[]): number[] {
  const peak = vector.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
  return peak < 0 ? vector.map((x) => 0 - x) : vector;
}
