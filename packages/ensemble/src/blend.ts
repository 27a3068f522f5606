import { checkFinite, checkInteger, checkMembers } from "./_check.ts";
import { errorGrams, foldOfRows, type Grams, score } from "./_gram.ts";

/** One model's predictions: [rows, columns], row-major. */
export interface Member {
  /** Its own among the members: weights and reasons refer to it. */
  name: string;
  values: ArrayLike<number>;
}

/** How `blend` and `prune` weigh the members. */
export interface BlendOptions {
  /** Numbers in a row. */
  columns: number;
  /**
   * `"uniform"` (default): all alike. `"shared"`: one weight a member. `"column"`: one a member and
   * column. `"group"`: one a member and group of columns, such as the answers of one question.
   */
  weights?: "uniform" | "shared" | "column" | "group";
  /** With `weights: "group"`: lists of column indices, each column in exactly one. */
  groups?: readonly (readonly number[])[];
  /** Parts for the cross-validation, 2 to the number of rows. Default 5. */
  folds?: number;
  /** Shuffles the rows before they are parted; without it the folds are contiguous blocks of rows. */
  seed?: number;
}

/** Weights and what they score. Plain data: JSON keeps it. */
export interface Blend {
  /** The members' names, in the order of the weights. */
  names: string[];
  /** [column][member], each row non-negative with sum 1. */
  weights: number[][];
  /** On the rows the weights were fitted to: too good, the more weights there are. */
  rmse: number;
  /** Each fold predicted with weights fitted to the other folds: what new rows will show. */
  crossValidatedRmse: number;
}

/**
 * Finds the weighted mean of the members that is nearest to the labels ([rows, columns], row-major)
 * in the least-squares sense, weights non-negative with sum 1, and says how well it does on rows it
 * was not fitted to. The optimum is exact, also where members are equal or linearly dependent
 * (equal members share their weight). Memory grows with members^2, not with rows.
 *
 * The three blends of S. Dieleman's winning solution are "uniform" (which he submitted), "shared"
 * and "column"; compare them by `crossValidatedRmse`.
 *
 * Throws a TypeError or RangeError for different lengths, numbers that are not finite, names that
 * are not unique, or options that do not fit the data.
 */
export function blend(
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
): Blend {
  const { grams, groupOf, uniform } = prepare("blend", members, labels, options);
  const { weights, rmse, crossValidatedRmse } = score(grams, uniform);
  return {
    names: members.map(({ name }) => name),
    weights: groupOf.map((group) => [...weights[group]!]),
    rmse,
    crossValidatedRmse,
  };
}

/**
 * The blend of other predictions by the same members, such as those for the test set:
 * sum_m weights[column][m] * values_m, [rows, columns], in `out` if given. Members are found by
 * name; those the blend does not know, and those without any weight, may be there or not.
 *
 * Throws a TypeError or RangeError if one that has a weight is missing, if lengths differ or are no
 * multiple of the columns, and for numbers that are not finite.
 */
export function applyBlend(
  { names, weights }: Pick<Blend, "names" | "weights">,
  members: readonly Member[],
  options: { out?: Float32Array } = {},
): Float32Array {
  const columns = weights.length;
  const used = names.flatMap((name, index) => {
    if (weights.every((row) => row[index] === 0)) return [];
    const member = members.find((m) => m.name === name);
    if (!member)
      throw new TypeError(`applyBlend: expected a member "${name}" but got ${list(members)}`);
    return [{ ...member, index }];
  });
  const length = used[0]!.values.length;
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

/** Checks everything once and reads the rows into Gram matrices; shared by `blend` and `prune`. */
export function prepare(
  where: string,
  members: readonly Member[],
  labels: ArrayLike<number>,
  { columns, weights = "uniform", groups, folds = 5, seed }: BlendOptions,
): { grams: Grams; groupOf: number[]; uniform: boolean } {
  checkInteger(where, "columns", columns, 1);
  if (labels.length === 0 || labels.length % columns !== 0)
    throw new RangeError(
      `${where}: expected a multiple of ${columns} columns for the length of labels but got ${labels.length}`,
    );
  checkFinite(where, "labels", labels);
  checkMembers(where, members, labels.length);
  const rows = labels.length / columns;
  checkInteger(where, "folds", folds, 2);
  if (folds > rows)
    throw new RangeError(`${where}: expected at most ${rows} folds, one a row, but got ${folds}`);
  const groupOf = groupOfColumns(where, weights, columns, groups);
  const values = members.map((member) => member.values);
  return {
    grams: errorGrams(values, labels, groupOf, foldOfRows(rows, folds, seed)),
    groupOf,
    uniform: weights === "uniform",
  };
}

function groupOfColumns(
  where: string,
  weights: BlendOptions["weights"],
  columns: number,
  groups: BlendOptions["groups"],
): number[] {
  if ((weights === "group") !== (groups !== undefined))
    throw new TypeError(
      `${where}: expected groups with weights "group" and only then but got weights "${weights}" ${groups ? "with" : "without"} groups`,
    );
  const groupOf = Array.from({ length: columns }, (_, column) => {
    if (weights === "column") return column;
    if (weights !== "group") return 0;
    return groups!.findIndex((group) => group.includes(column));
  });
  switch (weights) {
    case "uniform":
    case "shared":
    case "column":
      return groupOf;
    case "group": {
      const sorted = groups!.flat().sort((a, b) => a - b);
      const complete = sorted.length === columns && sorted.every((column, i) => column === i);
      if (complete && groups!.every((group) => group.length > 0)) return groupOf;
      throw new RangeError(
        `${where}: expected every column from 0 to ${columns - 1} in exactly one of groups but got ${JSON.stringify(groups)}`,
      );
    }
    default:
      throw new TypeError(
        `${where}: expected "uniform", "shared", "column" or "group" for weights but got "${weights}"`,
      );
  }
}

function list(members: readonly Member[]): string {
  return members.length === 0 ? "none" : members.map(({ name }) => `"${name}"`).join(", ");
}
