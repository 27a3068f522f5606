import { KAGGLE_TREE, type Question, type QuestionTree } from "@gz/galaxies";
import { shortName } from "./scores.ts";

/** A question and the columns of its answers, which lie side by side: first to end, end excluded. */
export interface PlacedQuestion {
  question: Question;
  first: number;
  end: number;
}

/** The questions of a tree with their columns. */
export function placedQuestions(tree: QuestionTree): PlacedQuestion[] {
  let end = 0;
  return tree.map((question) => {
    const first = end;
    end += question.answers.length;
    return { question, first, end };
  });
}

/** The question that a column answers. */
export function questionOf(tree: QuestionTree, column: number): PlacedQuestion {
  return placedQuestions(tree).find(({ end }) => column < end)!;
}

/** What a question is about, in a word or two: for Kaggle's, also read from a file, a short name, for others their own. */
export function questionName({ name, answers }: Question): string {
  const known = KAGGLE_TREE.find((own) => own.answers.join() === answers.join());
  return known ? shortName(known) : name;
}

/** An answer in plain words where the tree has them. */
export function answerText({ answers, answerTexts }: Question, answer: number): string {
  return (answerTexts ?? answers)[answer]!;
}

/** A column with its question: "spiral: no spiral". */
export function answerName(tree: QuestionTree, column: number): string {
  const { question, first } = questionOf(tree, column);
  return `${questionName(question)}: ${answerText(question, column - first)}`;
}
