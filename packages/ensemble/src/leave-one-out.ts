import { type Score, score, subset } from "./_gram.ts";
import { prepare } from "./_prepare.ts";
import type { BlendOptions, Member } from "./blend.ts";

/** What a member is worth to a blend. */
export interface LeftOut {
  name: string;
  /** Of the member alone. */
  rmse: number;
  /**
   * RMSE of the others, weights fitted anew, less that of all, on the rows they were fitted to. For
   * "shared", "group" and "column" never below 0 but for rounding.
   */
  value: number;
  /** The same of the cross-validated RMSEs: below 0, new rows are better off without the member. */
  crossValidatedValue: number;
}

/**
 * The leave-one-out value of each member, in the order given. A member that is good alone may be
 * worth nothing beside one that errs like it, and a poor one much. Throws as `blend` does, and a
 * RangeError for fewer than two members.
 */
export function leaveOneOut(
  members: readonly Member[],
  labels: ArrayLike<number>,
  options: BlendOptions,
): LeftOut[] {
  const { grams, solve, position } = prepare("leaveOneOut", members, labels, options);
  if (members.length < 2)
    throw new RangeError("leaveOneOut: expected at least 2 members, to leave one out, but got 1");
  const all = members.map((_, i) => i);
  const scoreOf = (keep: number[]): Score => score(subset(grams, keep), solve);
  const whole = scoreOf(all);
  return members.map(({ name }, i) => {
    const without = scoreOf(all.filter((j) => j !== position[i]));
    return {
      name,
      rmse: scoreOf([position[i]!]).rmse,
      value: without.rmse - whole.rmse,
      crossValidatedValue: without.crossValidatedRmse - whole.crossValidatedRmse,
    };
  });
}
