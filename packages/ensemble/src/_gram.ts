import { createRng } from "@gz/augment";

/**
 * Everything a blend needs to know about the members: for each fold and each group of columns the
 * Gram matrix of their errors, E_ij = sum (p_i - y)(p_j - y). Its size is that of the members
 * squared; they are formed in one pass over the rows.
 */
export interface Grams {
  /** Number of members. */
  size: number;
  /** Numbers (rows x columns) summed over, by fold. */
  counts: number[];
  /** [fold][group], each [size, size] row-major. */
  grams: Float64Array[][];
}

/** Weights of `size` members from the Gram matrix of their errors: on the simplex. */
export type Solve = (gram: Float64Array, size: number) => number[];

/** What a set of weights scores, on its own rows and on rows it has not seen. */
export interface Score {
  /** [group][member]. */
  weights: number[][];
  rmse: number;
  crossValidatedRmse: number;
}

/** The fold of each row: contiguous blocks of (nearly) equal size, of shuffled rows with a seed. */
export function foldOfRows(rows: number, folds: number, seed: number | undefined): Uint32Array {
  const order = seed === undefined ? undefined : createRng(seed).permutation(rows);
  const fold = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) fold[order ? order[i]! : i] = Math.floor((i * folds) / rows);
  return fold;
}

/** Reads the rows once. `groupOf` gives each column's group. */
export function errorGrams(
  members: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  groupOf: readonly number[],
  fold: Uint32Array,
): Grams {
  const size = members.length;
  const stride = Math.ceil(size / LANES) * LANES;
  const columnsOf = indicesOf(groupOf);
  const e = new Float64Array(stride * (BLOCK + groupOf.length));

  /** The Gram matrix of some rows and columns, whose errors are laid side by side block by block. */
  function gramOf(rows: readonly number[], columns: readonly number[]): Float64Array {
    const sums = new Float64Array(size * stride);
    const step = Math.ceil(BLOCK / columns.length);
    for (let first = 0; first < rows.length; first += step) {
      const last = Math.min(first + step, rows.length);
      let k = 0;
      for (const member of members)
        for (let r = first; r < last; r++) {
          const start = rows[r]! * groupOf.length;
          for (const column of columns) e[k++] = member[start + column]! - labels[start + column]!;
        }
      addProducts(sums, e, size, k / size);
    }
    return symmetric(sums, size, stride);
  }

  const rowsOf = indicesOf(fold);
  return {
    size,
    counts: rowsOf.map((rows) => rows.length * groupOf.length),
    grams: rowsOf.map((rows) => columnsOf.map((columns) => gramOf(rows, columns))),
  };
}

/** The indices that hold 0, those that hold 1, and so on. */
function indicesOf(values: ArrayLike<number> & Iterable<number>): number[][] {
  const indices: number[][] = [];
  let i = 0;
  for (const value of values) {
    while (indices.length <= value) indices.push([]);
    indices[value]!.push(i++);
  }
  return indices;
}

/** About so many errors of each member are multiplied at a time: what stays in a processor's cache. */
const BLOCK = 256;

/** Sums that are added to side by side: one alone would wait for itself at every addition. */
const LANES = 4;

/** Adds the products of all pairs of rows of `e` [stride, width] to the lower half of `sums` [size, stride]. */
function addProducts(sums: Float64Array, e: Float64Array, size: number, width: number): void {
  const stride = sums.length / size;
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j += LANES) {
      const at = i * stride + j;
      let [s0, s1, s2, s3] = [sums[at]!, sums[at + 1]!, sums[at + 2]!, sums[at + 3]!];
      for (let k = i * width, k0 = j * width; k < (i + 1) * width; k++, k0++) {
        s0 += e[k]! * e[k0]!;
        s1 += e[k]! * e[k0 + width]!;
        s2 += e[k]! * e[k0 + 2 * width]!;
        s3 += e[k]! * e[k0 + 3 * width]!;
      }
      [sums[at], sums[at + 1], sums[at + 2], sums[at + 3]] = [s0, s1, s2, s3];
    }
}

/** The whole matrix [size, size] of one [size, stride] of which the lower half is known. */
function symmetric(lower: Float64Array, size: number, stride: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    return lower[Math.max(i, j) * stride + Math.min(i, j)]!;
  });
}

/** Sum of a member's squared errors, over all rows and columns. */
export function ownSquares({ size, grams }: Grams, member: number): number {
  return grams.flat().reduce((sum, gram) => sum + gram[member * size + member]!, 0);
}

/** The same members, without those not in `keep`. */
export function subset({ size, counts, grams }: Grams, keep: readonly number[]): Grams {
  const pick = (gram: Float64Array) =>
    Float64Array.from(keep.flatMap((i) => keep.map((j) => gram[i * size + j]!)));
  return { size: keep.length, counts, grams: grams.map((groups) => groups.map(pick)) };
}

/** All rows but those of one fold, which they know nothing of. */
export function withoutFold({ size, counts, grams }: Grams, fold: number): Grams {
  const other = (_: unknown, i: number) => i !== fold;
  return { size, counts: counts.filter(other), grams: grams.filter(other) };
}

/** Fits the weights on all rows, and for each fold on the others to score them on that fold. */
export function score(grams: Grams, solve: Solve): Score {
  const { size, counts } = grams;
  const fit = (sums: Float64Array[]) => sums.map((gram) => solve(gram, size));
  const all = sumFolds(grams);
  const weights = fit(all);
  let unseen = 0;
  for (const [fold, held] of grams.grams.entries())
    unseen += squaredError(fit(sumFolds(grams, fold)), held);
  const count = counts.reduce((sum, n) => sum + n, 0);
  return {
    weights,
    rmse: Math.sqrt(squaredError(weights, all) / count),
    crossValidatedRmse: Math.sqrt(unseen / count),
  };
}

// Summed, not subtracted from the total: what is left after a subtraction need not be a Gram matrix.
function sumFolds({ size, grams }: Grams, except?: number): Float64Array[] {
  return grams[0]!.map((_, group) => {
    const sum = new Float64Array(size * size);
    for (const [fold, groups] of grams.entries())
      if (fold !== except) for (let i = 0; i < sum.length; i++) sum[i]! += groups[group]![i]!;
    return sum;
  });
}

/** Sum over groups of w'Ew: of weights [group][member] and Gram matrices [group] of some rows. */
export function squaredError(weights: readonly number[][], grams: readonly Float64Array[]): number {
  let sum = 0;
  for (const [group, w] of weights.entries())
    for (let i = 0; i < w.length; i++)
      for (let j = 0; j < w.length; j++) sum += w[i]! * w[j]! * grams[group]![i * w.length + j]!;
  return Math.max(sum, 0);
}
