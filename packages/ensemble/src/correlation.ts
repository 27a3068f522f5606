import { checkArray, checkFinite, checkMembers, checkSquares } from "./_check.ts";
import type { Member } from "./blend.ts";

/**
 * Pearson's correlation of the members' errors (prediction less label, over all numbers):
 * [member][member], symmetric, 1 on the diagonal. The lower it is, the more two members gain from
 * being averaged; at 1 they err alike. A member whose error is, but for rounding, the same everywhere has
 * 0 with others.
 *
 * Throws a TypeError or RangeError for different or zero lengths, numbers that are not finite and
 * names that are not unique.
 */
export function errorCorrelation(
  members: readonly Member[],
  labels: ArrayLike<number>,
): number[][] {
  checkArray("errorCorrelation", "labels", labels);
  if (labels.length === 0)
    throw new RangeError("errorCorrelation: expected at least one number for labels but got 0");
  checkFinite("errorCorrelation", "labels", labels);
  checkMembers("errorCorrelation", members, labels.length);
  const size = members.length;
  const means = members.map(({ values }) => {
    let sum = 0;
    for (let k = 0; k < labels.length; k++) sum += values[k]! - labels[k]!;
    return sum / labels.length;
  });
  const covariance = new Float64Array(size * size);
  const errors = new Float64Array(size);
  for (let k = 0; k < labels.length; k++)
    for (let i = 0; i < size; i++) {
      const error = members[i]!.values[k]! - labels[k]! - means[i]!;
      errors[i] = error;
      for (let j = 0; j <= i; j++) covariance[i * size + j]! += error * errors[j]!;
    }
  const deviation = members.map(({ name, values }, i) => {
    const squares = covariance[i * size + i]!;
    checkSquares("errorCorrelation", name, squares);
    return isConstant(values, labels) ? 0 : Math.sqrt(squares);
  });
  const between = (i: number, j: number): number => {
    if (i === j) return 1;
    const product = deviation[i]! * deviation[j]!;
    const ratio = covariance[Math.max(i, j) * size + Math.min(i, j)]! / product;
    return product === 0 ? 0 : Math.min(1, Math.max(-1, ratio)); // equal members may round above 1
  };
  return members.map((_, i) => members.map((_, j) => between(i, j)));
}

/**
 * Whether the errors differ by no more than rounding. Their variance would not say: the mean is rounded
 * too, the more the more numbers there are.
 */
function isConstant(values: ArrayLike<number>, labels: ArrayLike<number>): boolean {
  let [low, high, largest] = [Infinity, -Infinity, 0];
  for (let k = 0; k < labels.length; k++) {
    const error = values[k]! - labels[k]!;
    low = Math.min(low, error);
    high = Math.max(high, error);
    largest = Math.max(largest, Math.abs(values[k]!), Math.abs(labels[k]!));
  }
  return high - low <= 1e-12 * largest;
}
