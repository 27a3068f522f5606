import { checkFinite, checkInteger, checkMembers } from "./_check.ts";
import { errorGrams, foldOfRows, type Grams, type Solve } from "./_gram.ts";
import { drawBags, selectGreedily } from "./_greedy.ts";
import { solveSimplex } from "./_simplex.ts";
import type { BlendOptions, Member } from "./blend.ts";

type Weights = NonNullable<BlendOptions["weights"]>;

/** A shared weight up to this part of an equal share is as good as none. */
const NEGLIGIBLE = 0.1;

/** What the strategies work on. Members are in the order of their names, whatever order they came in. */
export interface Prepared {
  grams: Grams;
  solve: Solve;
  /** The group of each column. */
  groupOf: number[];
  /** How many weights are fitted. */
  fitted: number;
  /** Where each of the given members is among the sorted. */
  position: number[];
}

/** Checks everything once and reads the rows into Gram matrices. */
export function prepare(
  where: string,
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
): Prepared {
  const { columns, weights = "uniform", groups, bags, folds = 5, seed } = options;
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
  if (bags !== undefined) checkInteger(where, "bags", bags, 1);
  checkBelongs(where, "groups", "group", weights, groups);
  if (bags !== undefined) checkBelongs(where, "bags", "greedy", weights, bags);
  const groupOf = groupOfColumns(where, weights, columns, groups);
  const uniform = weights === "uniform" || members.length === 1;

  // Sorted, so that neither bags nor rounding depend on the order in which members are given.
  const sorted = members.map((_, i) => i).sort((a, b) => order(members[a]!, members[b]!));
  return {
    grams: errorGrams(
      sorted.map((i) => members[i]!.values),
      labels,
      groupOf,
      foldOfRows(rows, folds, seed),
    ),
    solve: solver(weights, bags, seed),
    groupOf,
    fitted: uniform ? 0 : members.length * (Math.max(...groupOf) + 1),
    position: members.map((_, i) => sorted.indexOf(i)),
  };
}

function order(a: Member, b: Member): number {
  return a.name < b.name ? -1 : 1;
}

function solver(weights: Weights, bags = 20, seed = 0): Solve {
  switch (weights) {
    case "uniform":
      return (_, size) => new Array<number>(size).fill(1 / size);
    case "greedy":
      return (gram, size) => selectGreedily(gram, size, drawBags(size, bags, seed));
    case "pruned":
      return (gram, size) => {
        const kept = solveSimplex(gram, size).map((weight) => weight * size > NEGLIGIBLE);
        const count = kept.filter(Boolean).length;
        return kept.map((keep) => (keep ? 1 / count : 0));
      };
    default:
      return solveSimplex;
  }
}

function checkBelongs(
  where: string,
  option: string,
  owner: Weights,
  weights: Weights,
  value: unknown,
): void {
  if ((weights === owner) !== (value !== undefined))
    throw new TypeError(
      `${where}: expected ${option} with weights "${owner}" and only then but got weights "${weights}" ${value === undefined ? "without" : "with"} ${option}`,
    );
}

function groupOfColumns(
  where: string,
  weights: Weights,
  columns: number,
  groups: BlendOptions["groups"],
): number[] {
  const all = Array.from({ length: columns }, (_, column) => column);
  switch (weights) {
    case "uniform":
    case "shared":
    case "greedy":
    case "pruned":
      return all.map(() => 0);
    case "column":
      return all;
    case "group": {
      const sorted = groups!.flat().sort((a, b) => a - b);
      const complete = sorted.length === columns && sorted.every((column, i) => column === i);
      if (!complete || groups!.some((group) => group.length === 0))
        throw new RangeError(
          `${where}: expected every column from 0 to ${columns - 1} in exactly one of groups but got ${JSON.stringify(groups)}`,
        );
      return all.map((column) => groups!.findIndex((group) => group.includes(column)));
    }
    default:
      throw new TypeError(
        `${where}: expected "uniform", "pruned", "greedy", "shared", "group" or "column" for weights but got "${weights}"`,
      );
  }
}
