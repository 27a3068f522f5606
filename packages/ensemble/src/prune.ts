import { type Score, score, subset } from "./_gram.ts";
import { type BlendOptions, type Member, prepare } from "./blend.ts";

/** A member that `prune` left out, and why. */
export interface Dropped {
  name: string;
  /** A sentence for a report. */
  reason: string;
  /** Cross-validated RMSE of the members that were still in, with this one. */
  rmseWith: number;
  /** The same without this one. */
  rmseWithout: number;
}

/** What `prune` returns. */
export interface Pruned {
  /** Names of the members that contribute, in their given order. */
  kept: string[];
  /** Those that do not, in the order in which they were dropped. */
  dropped: Dropped[];
  /** Of the kept members, blended with the chosen weights. */
  crossValidatedRmse: number;
}

/** Scores nearer than this, relatively, are the same: rounding must not decide. */
const SAME = 1e-9;

/**
 * Drops members that do not contribute, one at a time: always the one without which the others
 * have the lowest cross-validated RMSE (weights as chosen by `options.weights`, refitted each time),
 * as long as that is not above the score with it. Of members that are equal, the last is dropped.
 *
 * The choice is made on these rows, so for many members and few rows the final score flatters a
 * little; judge the survivors on rows not used here. Throws as `blend` does.
 */
export function prune(
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
): Pruned {
  const { grams, uniform } = prepare("prune", members, labels, options);
  const dropped: Dropped[] = [];
  let keep = members.map((_, i) => i);
  let current = score(grams, uniform);
  while (keep.length > 1) {
    const without = keep.map((member) => {
      const rest = keep.filter((i) => i !== member);
      return { member, rest, result: score(subset(grams, rest), uniform) };
    });
    const best = without.reduce((a, b) =>
      b.result.crossValidatedRmse <= a.result.crossValidatedRmse * (1 + SAME) ? b : a,
    );
    if (!(best.result.crossValidatedRmse <= current.crossValidatedRmse * (1 + SAME))) break;
    const index = keep.indexOf(best.member);
    dropped.push({
      name: members[best.member]!.name,
      reason: reason(current, best.result, index, best.rest.length),
      rmseWith: current.crossValidatedRmse,
      rmseWithout: best.result.crossValidatedRmse,
    });
    keep = best.rest;
    current = best.result;
  }
  return {
    kept: keep.map((i) => members[i]!.name),
    dropped,
    crossValidatedRmse: current.crossValidatedRmse,
  };
}

function reason(before: Score, after: Score, index: number, others: number): string {
  const [a, b] = [before.crossValidatedRmse, after.crossValidatedRmse];
  if (before.weights.every((row) => row[index] === 0))
    return `has weight 0 beside the other ${others}`;
  if (b < a * (1 - SAME))
    return `the other ${others} score ${b.toFixed(5)} without it, ${a.toFixed(5)} with it`;
  return `the other ${others} score the same without it, ${b.toFixed(5)}`;
}
