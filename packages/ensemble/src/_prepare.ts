import {
  checkArray,
  checkFinite,
  checkInteger,
  checkMembers,
  checkSquares,
  show,
} from "./_check.ts";
import { errorGrams, foldOfRows, type Grams, ownSquares, type Solve } from "./_gram.ts";
import { drawBags, selectGreedily } from "./_greedy.ts";
import { solveSimplex } from "./_simplex.ts";
import type { BlendOptions, Member } from "./blend.ts";

type Weights = NonNullable<BlendOptions["weights"]>;

const WEIGHTS: ReadonlySet<string> = new Set<Weights>([
  "uniform",
  "pruned",
  "greedy",
  "shared",
  "group",
  "column",
]);

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

/**
 * Checks everything once and reads the rows into Gram matrices. Blends that differ in nothing but how
 * they weigh share `known`, the matrices by their groups of columns, so that each is formed once.
 */
export function prepare(
  where: string,
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
  known: Map<string, Grams> = new Map(),
): Prepared {
  const { columns, weights = "uniform", groups, bags, folds = 5, seed } = options;
  checkInteger(where, "columns", columns, 1);
  if (!WEIGHTS.has(weights))
    throw new TypeError(
      `${where}: expected ${[...WEIGHTS].map(show).join(", ")} for weights but got ${show(weights)}`,
    );
  checkArray(where, "labels", labels);
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
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new RangeError(`${where}: expected a safe integer for seed but got ${show(seed)}`);
  if (bags !== undefined) checkInteger(where, "bags", bags, 1);
  checkBelongs(where, "groups", "group", weights, groups);
  if (bags !== undefined) checkBelongs(where, "bags", "greedy", weights, bags);
  const groupOf = groupOfColumns(where, weights, columns, groups);
  const uniform = weights === "uniform" || members.length === 1;

  // Sorted, so that neither bags nor rounding depend on the order in which members are given.
  const sorted = members.map((_, i) => i).sort((a, b) => order(members[a]!, members[b]!));
  const key = groupOf.join();
  const grams =
    known.get(key) ??
    errorGrams(
      sorted.map((i) => members[i]!.values),
      labels,
      groupOf,
      foldOfRows(rows, folds, seed),
    );
  known.set(key, grams);
  for (const [i, at] of sorted.entries())
    checkSquares(where, members[at]!.name, ownSquares(grams, i));
  return {
    grams,
    solve: solver(where, weights, bags, seed),
    groupOf,
    fitted: uniform ? 0 : members.length * grams.grams[0]!.length,
    position: members.map((_, i) => sorted.indexOf(i)),
  };
}

function order(a: Member, b: Member): number {
  return a.name < b.name ? -1 : 1;
}

function solver(where: string, weights: Weights, bags = 20, seed = 0): Solve {
  switch (weights) {
    case "uniform":
      return (_, size) => new Array<number>(size).fill(1 / size);
    case "greedy":
      return (gram, size) => selectGreedily(gram, size, drawBags(size, bags, seed));
    case "pruned":
      return (gram, size) => {
        const kept = solveSimplex(where, gram, size).map((weight) => weight * size > NEGLIGIBLE);
        const count = kept.filter(Boolean).length;
        return kept.map((keep) => (keep ? 1 / count : 0));
      };
    default:
      return (gram, size) => solveSimplex(where, gram, size);
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
  const groupOf = Array.from({ length: columns }, (_, column) =>
    weights === "column" ? column : 0,
  );
  if (weights !== "group") return groupOf;
  if (!Array.isArray(groups) || !groups.every(Array.isArray))
    throw new TypeError(`${where}: expected lists of columns for groups but got ${show(groups)}`);
  const sorted = groups.flat().sort((a, b) => a - b);
  const complete = sorted.length === columns && sorted.every((column, i) => column === i);
  if (!complete || groups.some((group) => group.length === 0))
    throw new RangeError(
      `${where}: expected every column from 0 to ${columns - 1} in exactly one of groups but got ${show(groups)}`,
    );
  for (const [g, group] of groups.entries()) for (const column of group) groupOf[column] = g;
  return groupOf;
}
