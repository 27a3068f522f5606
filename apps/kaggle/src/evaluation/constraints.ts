/** Whether predictions keep the tree's rule: a question's answers add up to the weight of the answers that lead to it. */
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import { placedQuestions } from "./questions.ts";

/** How far predictions [galaxies, columns] break the rule. */
export interface Violation {
  /** By question: the largest |sum of the answers - sum of the parents|. A tree layer leaves rounding, about 1e-7. */
  questions: number[];
  /** The largest of them. */
  sum: number;
  /** How far the farthest prediction lies below 0 or above 1. */
  range: number;
}

/** The largest violations by the tree that the network was built for, which Kaggle's labels need not follow. */
export function violation(predictions: Float32Array, tree: QuestionTree): Violation {
  const columns = columnsOf(tree);
  const questions = placedQuestions(tree).map(({ question, first, end }) => {
    const parents = question.parents?.map((parent) => columns.indexOf(parent));
    let most = 0;
    for (let at = 0; at < predictions.length; at += columns.length) {
      let sum = 0;
      for (let k = first; k < end; k++) sum += predictions[at + k]!;
      const weight = parents ? parents.reduce((total, k) => total + predictions[at + k]!, 0) : 1;
      most = Math.max(most, Math.abs(sum - weight));
    }
    return most;
  });
  let range = 0;
  for (const value of predictions) range = Math.max(range, -value, value - 1);
  return { questions, sum: Math.max(...questions), range };
}
