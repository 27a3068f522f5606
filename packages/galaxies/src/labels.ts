import { columnsOf, type QuestionTree } from "./tree.ts";

/** How far a label may stray from [0, 1], and a question's sum from its parents' sum: rounding in published files. */
const TOLERANCE = 1e-5;

/** What is wrong with the vote fractions of one galaxy; undefined when nothing is. */
export type LabelCheck = (values: ArrayLike<number>) => string | undefined;

/** Which of these columns is no fraction; undefined when all are. */
export function fractionProblem(
  columns: readonly string[],
  values: ArrayLike<number>,
): string | undefined {
  for (let k = 0; k < columns.length; k++)
    if (!(values[k]! >= -TOLERANCE && values[k]! <= 1 + TOLERANCE))
      return `expected a vote fraction from 0 to 1 for ${columns[k]} but got ${values[k]}`;
  return undefined;
}

/** A check of vote fractions, in the order of the tree's columns, against the tree. */
export function labelCheck(tree: QuestionTree): LabelCheck {
  const names = columnsOf(tree);
  const index = new Map(names.map((column, i) => [column, i]));
  const questions = tree.map(({ name, answers, parents = [] }) => ({
    name,
    answers,
    parents,
    columns: answers.map((answer) => index.get(answer)!),
    parentColumns: parents.map((parent) => index.get(parent)!),
  }));
  return (values) => {
    const outside = fractionProblem(names, values);
    if (outside !== undefined) return outside;
    for (const { name, answers, parents, columns, parentColumns } of questions) {
      let sum = 0;
      for (const k of columns) sum += values[k]!;
      let weight = parents.length === 0 ? 1 : 0;
      for (const k of parentColumns) weight += values[k]!;
      if (Math.abs(sum - weight) > TOLERANCE)
        return `expected the answers of ${name} (${answers[0]} to ${answers.at(-1)}) to add up to ${
          parents.length === 0 ? "1" : `${parents.join(" + ")} = ${short(weight)}`
        } within ${TOLERANCE.toFixed(5)} but got ${short(sum)}`;
    }
    return undefined;
  };
}

function short(value: number): string {
  return String(Number(value.toPrecision(7)));
}
