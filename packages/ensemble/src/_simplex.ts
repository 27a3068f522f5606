// quadprog ships no types; without this line a build that starts from another package would not see ours.
/// <reference path="./quadprog.d.ts" />
import quadprog from "quadprog";

/**
 * A hair of ridge, relative to each member's own error: two equal members make the Gram matrix
 * singular, and with it they share their weight instead of stopping the solver. The blend's mean
 * squared error is at most this fraction of the best member's above the exact optimum.
 */
const RIDGE = 1e-10;

/**
 * The w that minimises w'Ew with w >= 0 and sum(w) = 1, where E ([size, size], row-major) is the
 * Gram matrix of the members' errors: since the weights sum to one, sum_i w_i p_i - y is
 * sum_i w_i (p_i - y), and least squares over any number of rows needs nothing but E.
 * Solved exactly by the dual active-set method (Goldfarb and Idnani 1983).
 */
export function solveSimplex(where: string, gram: Float64Array, size: number): number[] {
  const errors = Array.from({ length: size }, (_, i) => gram[i * size + i]!);
  const least = Math.min(...errors.filter((error) => error > 0)); // of none: Infinity
  if (size === 1 || least === Infinity) return new Array<number>(size).fill(1 / size);

  // Solved for u = w * scale, which gives every member a unit diagonal: a member that diverged
  // then does not drown the others in its rounding errors. One without error is given a scale far
  // below the rest.
  const scale = errors.map((error) => Math.sqrt(Math.max(error, 1e-24 * least)));
  const smallest = Math.min(...scale);
  const D: number[][] = [[]];
  const A: number[][] = [[]]; // one column a constraint: first sum(w) = 1, then u_i >= 0
  for (let i = 0; i < size; i++) {
    const row = [0];
    const constraints = [0, smallest / scale[i]!];
    for (let j = 0; j < size; j++) {
      row.push(i === j ? 1 + RIDGE : gram[i * size + j]! / (scale[i]! * scale[j]!));
      constraints.push(i === j ? 1 : 0);
    }
    D.push(row);
    A.push(constraints);
  }
  const d = new Array<number>(size + 1).fill(0);
  const b = [0, 1, ...new Array<number>(size).fill(0)];
  const { solution, message } = quadprog.solveQP(D, d, A, b, 1);
  if (message) throw new Error(`${where}: the solver failed, ${message}`);

  const most = Math.max(...solution.slice(1));
  const weights = scale.map((s, i) => {
    const u = solution[i + 1]!;
    return u > 1e-12 * most ? u / s : 0; // what rounding leaves at a bound is a zero
  });
  const sum = weights.reduce((a, w) => a + w, 0);
  return weights.map((w) => w / sum);
}
