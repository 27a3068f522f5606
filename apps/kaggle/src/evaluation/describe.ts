/** An evaluation as lines for the terminal. */
import type { QuestionTree } from "@gz/galaxies";
import pc from "picocolors";
import { formatPercent } from "../cli/format.ts";
import type { QuestionAgreement } from "./agreement.ts";
import type { Evaluation, Mistake } from "./evaluation-file.ts";
import type { Extreme } from "./extremes.ts";
import { answerName, answerText, placedQuestions, questionName, questionOf } from "./questions.ts";

/** Agreements of which the table shows the accuracy, beside all galaxies. */
const SHOWN = [0, 0.5, 0.8];
const MISTAKES = 5;

export function describeEvaluation(evaluation: Evaluation): string[] {
  const { name, tree, judgement, mistakes, fitted, look } = evaluation;
  const { rmse, galaxies, questions, answers, agreement } = judgement;
  const { zeros, ones, violation, reliability, questionReliability } = judgement;
  const lines = [
    pc.bold(`${name}  RMSE ${rmse.toFixed(5)}  over ${galaxies} galaxies`),
    "",
    pc.dim(
      `${"question".padEnd(19)}   RMSE  asked  accuracy  agree ≥ .5  agree ≥ .8  calibration  sum off by${look ? "  turning" : ""}`,
    ),
  ];
  placedQuestions(tree).forEach(({ question, first }, q) => {
    const turning = look ? look.equivariance.questions[q]!.before.toFixed(4).padStart(9) : "";
    lines.push(
      `${`${String(q + 1).padStart(2)} ${questionName(question)}`.padEnd(19).slice(0, 19)} ${questions[q]!.toFixed(4)}  ${String(agreement[q]!.asked).padStart(5)}  ${accuracies(agreement[q]!).join("  ")}  ${questionReliability[q]!.calibrationError.toFixed(4).padStart(11)}  ${violation.questions[q]!.toExponential(1).padStart(10)}${turning}`,
      pc.dim(
        `   ${question.answers.map((_, k) => `${answerText(question, k)} ${answers[first + k]!.toFixed(4)}`).join(" · ")}`,
      ),
    );
  });
  lines.push(
    "",
    pc.dim("asked: galaxies where half of the volunteers or more came to the question;"),
    pc.dim(
      "accuracy: how often their favourite answer is the network's, of all and where they agree",
    ),
    "",
    `labels of 0    ${describeExtreme(zeros)}`,
    `labels of 1    ${describeExtreme(ones)}`,
    `calibration    fractions are off by ${reliability.calibrationError.toFixed(4)} on average, in tenths`,
    `the tree       sums off by ${violation.sum.toExponential(1)} at most; ${violation.range > 0 ? `${violation.range.toExponential(1)} beyond 0 to 1` : "all within 0 to 1"}`,
  );
  if (fitted)
    lines.push(
      `weights        ${fitted} were fitted to these very galaxies, so that all of this flatters`,
    );
  if (look) {
    const { before, after, galaxies: turned } = look.equivariance;
    lines.push(
      `turning        moves predictions by ${before.toFixed(4)} (standard deviation), means over 8 by ${after.toFixed(4)}; ${turned} galaxies`,
    );
  }
  if (mistakes.length > 0)
    lines.push(
      "",
      pc.dim(
        "the worst contradictions of clear majorities, shares of those who came to the question:",
      ),
      ...mistakes.slice(0, MISTAKES).map((mistake) => describeMistake(mistake, tree)),
    );
  return lines;
}

function describeMistake(
  { id, volunteers, network, votes, predicted }: Mistake,
  tree: QuestionTree,
): string {
  const { question, first } = questionOf(tree, network);
  return `${String(id).padEnd(8)} ${answerName(tree, volunteers)}: ${formatPercent(votes[0])} of the volunteers, ${formatPercent(predicted[0])} predicted; ${answerText(question, network - first)}: ${formatPercent(votes[1])}, ${formatPercent(predicted[1])} predicted`;
}

function accuracies({ points }: QuestionAgreement): string[] {
  return SHOWN.map((threshold, i) => {
    const point = points.find((p) => p.threshold === threshold);
    return (point ? formatPercent(point.accuracy, 1) : "–").padStart([8, 10, 10][i]!);
  });
}

function describeExtreme({ labels, mean, rmse, near, exact, errorShare }: Extreme): string {
  if (labels === 0) return "none";
  return `${labels}: mean prediction ${mean!.toFixed(4)}, RMSE ${rmse!.toFixed(4)}, ${formatPercent(near!)} within 0.01 (${formatPercent(exact!)} exact), ${errorShare === undefined ? "no" : formatPercent(errorShare)} of the squared error`;
}
