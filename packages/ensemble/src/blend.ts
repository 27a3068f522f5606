import { blendOf } from "./_blend-of.ts";
import { checkMembers, checkNames, show } from "./_check.ts";
import { prepare } from "./_prepare.ts";

/** One model's predictions: [rows, columns], row-major. */
export interface Member {
  /** Its own among the members: weights and reasons refer to it. */
  name: string;
  values: ArrayLike<number>;
}

/** How `blend` and `leaveOneOut` weigh the members. */
export interface BlendOptions {
  /** Numbers in a row. */
  columns: number;
  /**
   * `"uniform"` (default): all alike.
   * `"pruned"`: all alike but those whose shared weight is negligible, which are left out.
   * `"greedy"`: how often each is taken by ensemble selection, with replacement and bagging.
   * `"shared"`: one least-squares weight a member.
   * `"group"`: one a member and group of columns, such as the answers of one question.
   * `"column"`: one a member and column.
   */
  weights?: "uniform" | "pruned" | "greedy" | "shared" | "group" | "column";
  /** With `weights: "group"`: lists of column indices, each column in exactly one. */
  groups?: readonly (readonly number[])[];
  /**
   * With `weights: "greedy"`: how many selections, each among a random half of the members (at
   * least 5), are averaged. Default 20; 1 selects once, among all.
   */
  bags?: number;
  /** Parts for the cross-validation, 2 to the number of rows. Default 5. */
  folds?: number;
  /**
   * Shuffles the rows before they are parted, and draws the bags. Without it the folds are contiguous
   * blocks of rows, and the bags those of seed 0.
   */
  seed?: number;
}

/** Weights and what they score. Plain data: JSON keeps it. */
export interface Blend {
  /** The members' names, in the order of the weights. */
  names: string[];
  /** [column][member], each row non-negative with sum 1. */
  weights: number[][];
  /**
   * How many weights were fitted: members x groups, 0 for uniform ones or a single member. Where this
   * is more than there are rows, they over-fit.
   */
  fitted: number;
  /** On the rows the weights were fitted to: too good, the more weights there are. */
  rmse: number;
  /** Each fold predicted with weights fitted to the other folds: what new rows will show. */
  crossValidatedRmse: number;
}

/**
 * Finds weights for the mean of the members, non-negative with sum 1, and says how well it does on
 * rows they were not fitted to. `labels` are [rows, columns], row-major. The order of the members
 * changes nothing; memory grows with members^2, not with rows.
 *
 * "shared", "group" and "column" are nearest to the labels in the least-squares sense; the optimum
 * is exact, also where members are equal or linearly dependent (equal members share their weight).
 * S. Dieleman's winning solution tried "shared" and "column", which over-fitted, and submitted the
 * uniform mean of those with a weight: "pruned". There a shared weight up to a tenth of an equal
 * share is none. "greedy" is the selection of Caruana et al. (ICML 2004), for many members.
 *
 * Compare them by `crossValidatedRmse`, or have `chooseBlend` do it; choosing members or weights is part
 * of what is repeated for each fold. Throws a TypeError or RangeError for different lengths, numbers that are not finite,
 * names that are not unique, or options that do not fit the data.
 */
export function blend(
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
): Blend {
  return blendOf(members, prepare("blend", members, labels, options));
}

/**
 * The blend of other predictions by the same members, such as those for the test set:
 * sum_m weights[column][m] * values_m, [rows, columns], in `out` if given. Members are found by
 * name; those the blend does not know, and those without any weight, may be there or not.
 *
 * Throws a TypeError or RangeError for weights that are not a blend's (rows of one for each name, at
 * least 0 with sum 1), for names that are not unique, if a member that has a weight is missing, if lengths
 * differ or are no multiple of the columns, and for numbers that are not finite.
 */
export function applyBlend(
  { names, weights }: Pick<Blend, "names" | "weights">,
  members: readonly Member[],
  options: { out?: Float32Array } = {},
): Float32Array {
  checkWeights(names, weights);
  checkNames("applyBlend", members);
  const columns = weights.length;
  const used = names.flatMap((name, index) => {
    if (weights.every((row) => row[index] === 0)) return [];
    const member = members.find((m) => m.name === name);
    if (!member)
      throw new RangeError(
        `applyBlend: expected a member ${show(name)} but got ${show(members.map((m) => m.name))}`,
      );
    return [{ ...member, index }];
  });
  const length = used[0]!.values?.length;
  checkMembers("applyBlend", used, length);
  if (length % columns !== 0)
    throw new RangeError(
      `applyBlend: expected a multiple of ${columns} columns for the members' length but got ${length}`,
    );
  const { out = new Float32Array(length) } = options;
  if (out.length !== length)
    throw new RangeError(`applyBlend: expected ${length} numbers for out but got ${out.length}`);
  for (let i = 0; i < length; i++) {
    const row = weights[i % columns]!;
    let sum = 0; // double: float32 sums would depend on the members' order
    for (const { values, index } of used) sum += row[index]! * values[i]!;
    out[i] = sum;
  }
  return out;
}

/** A blend may come from a file: a short row or a null would make NaN of the predictions. */
function checkWeights(names: readonly string[], weights: Blend["weights"]): void {
  const rows = Array.isArray(names) && Array.isArray(weights) && weights.every(Array.isArray);
  if (!rows || weights.length === 0)
    throw new TypeError(
      `applyBlend: expected lists of names and rows for names and weights but got ${show(names)} and ${show(weights)}`,
    );
  const fits = (row: readonly number[]) =>
    row.length === names.length &&
    row.every((weight) => Number.isFinite(weight) && weight >= 0) &&
    Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1) <= 1e-6;
  const wrong = weights.find((row) => !fits(row));
  if (wrong !== undefined)
    throw new RangeError(
      `applyBlend: expected ${names.length} numbers of at least 0 with sum 1 for each row of weights but got ${show(wrong)}`,
    );
}
