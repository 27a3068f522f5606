import { blendOf } from "./_blend-of.ts";
import { type Grams, score, squaredError, withoutFold } from "./_gram.ts";
import { prepare } from "./_prepare.ts";
import type { Blend, BlendOptions, Member } from "./blend.ts";

/** Several blends of the same members, and the one to take. */
export interface Choice {
  /** One for each of the candidates, in their order. */
  blends: Blend[];
  /** Position of the one to take. */
  chosen: number;
  /**
   * What choosing so scores on new rows: each fold is predicted by the candidate that is best, and with
   * weights that are fitted, on the other folds alone. The `crossValidatedRmse` of the chosen blend, being
   * the lowest of several on the very folds that it is scored on, flatters.
   */
  crossValidatedRmse: number;
  /** Position of the candidate that was chosen without each fold: where they differ, the choice is close. */
  withoutFold: number[];
}

/** By how much, of the score, another candidate must be better than one before it: more than rounding. */
const BETTER = 1e-9;

/**
 * Tries several ways to weigh the members and takes the one with the lowest `crossValidatedRmse`, the first
 * of equals. One that fits more weights than there are rows is taken only where all do. The score of the choice
 * is found by nested cross-validation (Varma & Simon 2006): for each fold, the others choose among themselves.
 *
 * Every candidate must have the same columns, folds (at least 3) and seed. Throws as `blend` does, and a
 * RangeError for no candidates, differing ones, or fewer than 3 folds.
 */
export function chooseBlend(
  members: readonly Member[],
  labels: ArrayLike<number>,
  candidates: readonly BlendOptions[],
): Choice {
  const columns = checkCandidates(candidates);
  const known = new Map<string, Grams>();
  const prepared = candidates.map((options) =>
    prepare("chooseBlend", members, labels, options, known),
  );
  const blends = prepared.map((candidate) => blendOf(members, candidate));
  const { counts } = prepared[0]!.grams;
  const total = counts.reduce((sum, count) => sum + count, 0);
  let unseen = 0;
  const choices = counts.map((count, fold) => {
    const tried = prepared.map(({ grams, solve, fitted }) => ({
      fitted,
      ...score(withoutFold(grams, fold), solve),
    }));
    const best = lowest(tried, (total - count) / columns);
    unseen += squaredError(tried[best]!.weights, prepared[best]!.grams.grams[fold]!);
    return best;
  });
  return {
    blends,
    chosen: lowest(blends, total / columns),
    crossValidatedRmse: Math.sqrt(unseen / total),
    withoutFold: choices,
  };
}

/** Position of the lowest cross-validated score among those that have rows enough. */
function lowest(
  tried: readonly Pick<Blend, "fitted" | "crossValidatedRmse">[],
  rows: number,
): number {
  const all = tried.map((_, i) => i);
  const enough = all.filter((i) => tried[i]!.fitted <= rows);
  const rmse = (i: number) => tried[i]!.crossValidatedRmse;
  return (enough.length > 0 ? enough : all).reduce((a, b) =>
    rmse(b) < rmse(a) * (1 - BETTER) ? b : a,
  );
}

/** Returns the columns, which all have. */
function checkCandidates(candidates: readonly BlendOptions[]): number {
  const [first] = candidates;
  if (!first)
    throw new RangeError(
      "chooseBlend: expected at least one candidate for candidates but got none",
    );
  const same = ({ columns, folds = 5, seed }: BlendOptions) => `${columns}, ${folds} and ${seed}`;
  for (const options of candidates)
    if (same(options) !== same(first))
      throw new RangeError(
        `chooseBlend: expected the same columns, folds and seed for every candidate but got ${same(first)}, then ${same(options)}`,
      );
  const { columns, folds = 5 } = first;
  if (folds < 3)
    throw new RangeError(
      `chooseBlend: expected at least 3 folds, so that two are left to choose by, but got ${folds}`,
    );
  return columns;
}
