/** Errors by answer, by question and by galaxy. Predictions and labels are [galaxies, width], row-major. */
import { COLUMNS, columnsOf, KAGGLE_TREE, type Question, type QuestionTree } from "@gz/galaxies";

const WIDTH = COLUMNS.length;

/** Root mean squared error of every column. */
export function columnRmse(
  predictions: Float32Array,
  labels: Float32Array,
  width: number = WIDTH,
): number[] {
  const sums = new Float64Array(width);
  labels.forEach((label, i) => {
    sums[i % width]! += (predictions[i]! - label) ** 2;
  });
  return Array.from(sums, (sum) => Math.sqrt((sum * width) / labels.length));
}

/** Root mean squared error over the answers of each question, from the columns'. */
export function questionRmse(
  columns: readonly number[],
  tree: QuestionTree = KAGGLE_TREE,
): number[] {
  const names = columnsOf(tree);
  return tree.map(({ answers }) => {
    const sum = answers.reduce((total, answer) => total + columns[names.indexOf(answer)]! ** 2, 0);
    return Math.sqrt(sum / answers.length);
  });
}

/** Root mean squared error of every galaxy. */
export function galaxyRmse(predictions: Float32Array, labels: Float32Array): number[] {
  return Array.from({ length: labels.length / WIDTH }, (_, row) => {
    let sum = 0;
    for (let i = row * WIDTH; i < (row + 1) * WIDTH; i++)
      sum += (predictions[i]! - labels[i]!) ** 2;
    return Math.sqrt(sum / WIDTH);
  });
}

/** The mean of several predictions. */
export function meanOf(members: readonly Float32Array[]): Float32Array {
  return members[0]!.map((_, i) => members.reduce((sum, m) => sum + m[i]!, 0) / members.length);
}

/** Short names, where the volunteers' question is too long for a drawing. */
const SHORT = [
  "smooth or disk",
  "edge-on",
  "bar",
  "spiral",
  "bulge",
  "odd",
  "roundness",
  "what is odd",
  "edge-on bulge",
  "arm winding",
  "arm number",
];

export function shortName(question: Question): string {
  return SHORT[KAGGLE_TREE.indexOf(question)]!;
}
