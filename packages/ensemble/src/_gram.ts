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
  const columns = groupOf.length;
  const folds = fold.reduce((most, f) => Math.max(most, f), 0) + 1;
  const groups = groupOf.reduce((most, g) => Math.max(most, g), 0) + 1;
  const grams = Array.from({ length: folds }, () =>
    Array.from({ length: groups }, () => new Float64Array(size * size)),
  );
  const counts = new Array<number>(folds).fill(0);
  const errors = new Float64Array(size);
  for (let row = 0; row < fold.length; row++) {
    counts[fold[row]!]! += columns;
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const gram = grams[fold[row]!]![groupOf[column]!]!;
      for (let i = 0; i < size; i++) {
        const error = (errors[i] = members[i]![at]! - labels[at]!);
        for (let j = 0; j <= i; j++) gram[i * size + j]! += error * errors[j]!;
      }
    }
  }
  for (const gram of grams.flat())
    for (let i = 0; i < size; i++)
      for (let j = 0; j < i; j++) gram[j * size + i] = gram[i * size + j]!;
  return { size, counts, grams };
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
