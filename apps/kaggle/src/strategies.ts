/** The ways to weigh members, tried on labelled galaxies. */
import { type Blend, blend, type BlendOptions as EnsembleOptions, type Member } from "@gz/ensemble";
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

const SEED = 1;

/** What @gz/ensemble is asked for, with so many galaxies: folds of shuffled galaxies, groups of a question's answers. */
export function optionsOf(strategy: Weights, tree: QuestionTree, rows: number): EnsembleOptions {
  const columns = columnsOf(tree);
  const options = { columns: columns.length, folds: Math.min(5, rows), seed: SEED };
  if (strategy !== "question") return { ...options, weights: strategy };
  const groups = tree.map(({ answers }) => answers.map((answer) => columns.indexOf(answer)));
  return { ...options, weights: "group", groups };
}

/** Every strategy on these members and labels ([galaxies, answers]). */
export function tryStrategies(
  members: readonly Member[],
  labels: Float32Array,
  tree: QuestionTree,
): Strategy[] {
  const rows = labels.length / columnsOf(tree).length;
  return WEIGHTS.map((strategy) => {
    const { names: _, ...found } = blend(members, labels, optionsOf(strategy, tree, rows));
    return { strategy, ...found };
  });
}

/** Whether there are fewer galaxies than weights to fit to them. */
export function overfits({ fitted }: Pick<Strategy, "fitted">, rows: number): boolean {
  return fitted > rows;
}

/** The strategy of the lowest cross-validated RMSE among those with enough galaxies; the first of equals. */
export function bestStrategy(strategies: readonly Strategy[], rows: number): Strategy {
  return strategies
    .filter((strategy) => !overfits(strategy, rows))
    .reduce((a, b) => (b.crossValidatedRmse < a.crossValidatedRmse * (1 - 1e-9) ? b : a));
}
