import { score } from "./_gram.ts";
import type { Prepared } from "./_prepare.ts";
import type { Blend, Member } from "./blend.ts";

/** Weights and scores of what is prepared, in the order in which the members were given. */
export function blendOf(
  members: readonly Member[],
  { grams, solve, groupOf, position, fitted }: Prepared,
): Blend {
  const { weights, rmse, crossValidatedRmse } = score(grams, solve);
  return {
    names: members.map(({ name }) => name),
    weights: groupOf.map((group) => position.map((i) => weights[group]![i]!)),
    fitted,
    rmse,
    crossValidatedRmse,
  };
}
