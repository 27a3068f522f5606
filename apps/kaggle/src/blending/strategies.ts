/** The ways to weigh members, tried on labelled galaxies. */
import {
  type Blend,
  chooseBlend,
  type BlendOptions as EnsembleOptions,
  type Member,
} from "@gz/ensemble";
import { columnsOf, type QuestionTree } from "@gz/galaxies";

/** From nothing fitted to a weight for each member and answer. */
export const WEIGHTS = ["uniform", "pruned", "greedy", "shared", "question", "column"] as const;
export type Weights = (typeof WEIGHTS)[number];

/** Each in a few words. */
export const MEANINGS: Record<Weights, string> = {
  uniform: "all members alike",
  pruned: "alike, without members of hardly any shared weight",
  greedy: "picked one by one, the one that helps most",
  shared: "one weight a member",
  question: "one weight a member and question",
  column: "one weight a member and answer",
};

/** A strategy's weights ([answer][member]) and what they score, also on galaxies they were not fitted to. */
export interface Strategy extends Omit<Blend, "names"> {
  strategy: Weights;
}

/** Taking the strategy of the lowest RMSE on unseen folds. */
export interface StrategyChoice {
  /**
   * What that scores on folds that had no part in it: each is predicted with the strategy chosen by, and weights fitted
   * to, the other folds. The chosen strategy's own figure is the lowest of six on these folds, and flatters.
   */
  rmse: number;
  /** The choice without each fold. */
  withoutFold: Weights[];
}

const SEED = 1;

/** What @gz/ensemble is asked for, with so many galaxies: folds of shuffled galaxies, groups of a question's answers. */
export function optionsOf(strategy: Weights, tree: QuestionTree, rows: number): EnsembleOptions {
  const columns = columnsOf(tree);
  const options = { columns: columns.length, folds: Math.min(5, rows), seed: SEED };
  if (strategy !== "question") return { ...options, weights: strategy };
  const groups = tree.map(({ answers }) => answers.map((answer) => columns.indexOf(answer)));
  return { ...options, weights: "group", groups };
}

/** Every strategy on these members and labels ([galaxies, answers], 3 or more), and the one that is best on unseen folds. */
export function tryStrategies(
  members: readonly Member[],
  labels: Float32Array,
  tree: QuestionTree,
): { strategies: Strategy[]; best: Strategy; choice: StrategyChoice } {
  const rows = labels.length / columnsOf(tree).length;
  const { blends, chosen, crossValidatedRmse, withoutFold } = chooseBlend(
    members,
    labels,
    WEIGHTS.map((strategy) => optionsOf(strategy, tree, rows)),
  );
  const strategies = blends.map(({ names: _, ...found }, i) => ({
    strategy: WEIGHTS[i]!,
    ...found,
  }));
  return {
    strategies,
    best: strategies[chosen]!,
    choice: { rmse: crossValidatedRmse, withoutFold: withoutFold.map((i) => WEIGHTS[i]!) },
  };
}

/** Whether there are fewer galaxies than weights to fit to them. */
export function overfits({ fitted }: Pick<Strategy, "fitted">, rows: number): boolean {
  return fitted > rows;
}
