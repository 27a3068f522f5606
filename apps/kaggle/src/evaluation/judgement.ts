/** Everything that predictions and labels alone tell; what needs the network is in `look.ts`. */
import { rmse } from "@gz/ensemble";
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import { accuracyByAgreement, type QuestionAgreement } from "./agreement.ts";
import { type Violation, violation } from "./constraints.ts";
import { type Extreme, extremes } from "./extremes.ts";
import { questionReliability, type Reliability, reliability } from "./reliability.ts";
import { columnRmse, questionRmse } from "./scores.ts";

/** How good predictions are; lists go by the tree's questions, or by its columns. */
export interface Judgement {
  galaxies: number;
  rmse: number;
  questions: number[];
  answers: number[];
  agreement: QuestionAgreement[];
  /** Of all answers together, then of each question's. */
  reliability: Reliability;
  questionReliability: Reliability[];
  zeros: Extreme;
  ones: Extreme;
  violation: Violation;
}

/**
 * @param tree the questions of the labels
 * @param rule the tree that the network was built for, where that is another one with the same columns
 */
export function judge(
  predictions: Float32Array,
  labels: Float32Array,
  tree: QuestionTree,
  rule: QuestionTree = tree,
): Judgement {
  const answers = columnRmse(predictions, labels, columnsOf(tree).length);
  return {
    galaxies: labels.length / answers.length,
    rmse: rmse(predictions, labels),
    questions: questionRmse(answers, tree),
    answers,
    agreement: accuracyByAgreement(predictions, labels, tree),
    reliability: reliability(predictions, labels),
    questionReliability: questionReliability(predictions, labels, tree),
    ...extremes(predictions, labels),
    violation: violation(predictions, rule),
  };
}
