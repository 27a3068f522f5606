/**
 * Galaxy Zoo 2's decision tree as data.
 *
 * Columns are the answers of all questions, in order; a vote fraction is cumulative: the answers of a question
 * add up to the summed fractions of the question's parents (1 where it has none).
 */

/** One question of a tree: its answers are columns, its parents are earlier columns. */
export interface Question {
  /** Short name, unique in the tree. */
  name: string;
  /** The question as it was put to the volunteers. */
  text?: string;
  /** Column names of the answers. */
  answers: readonly string[];
  /** The answers in plain words, in the order of `answers`. */
  answerTexts?: readonly string[];
  /** Columns of earlier questions whose summed fractions weight this question; none means weight 1. */
  parents?: readonly string[];
}

/** Questions in the order of their columns. */
export type QuestionTree = readonly Question[];

function question(
  number: number,
  text: string,
  answerTexts: readonly string[],
  parents?: readonly string[],
): Question {
  const answers = answerTexts.map((_, i) => `Class${number}.${i + 1}`);
  return { name: `Q${number}`, text, answers, answerTexts, ...(parents && { parents }) };
}

function galaxyZooTree(parentsOfOdd?: readonly string[]): QuestionTree {
  return [
    question(1, "Is the galaxy simply smooth and rounded, with no sign of a disk?", [
      "smooth",
      "features or disk",
      "star or artifact",
    ]),
    question(2, "Could this be a disk viewed edge-on?", ["yes", "no"], ["Class1.2"]),
    question(3, "Is there a bar through the centre?", ["bar", "no bar"], ["Class2.2"]),
    question(
      4,
      "Is there any sign of a spiral arm pattern?",
      ["spiral", "no spiral"],
      ["Class2.2"],
    ),
    question(
      5,
      "How prominent is the central bulge, compared with the rest of the galaxy?",
      ["no bulge", "just noticeable", "obvious", "dominant"],
      ["Class2.2"],
    ),
    question(6, "Is there anything odd?", ["odd", "not odd"], parentsOfOdd),
    question(
      7,
      "How rounded is it?",
      ["completely round", "in between", "cigar-shaped"],
      ["Class1.1"],
    ),
    question(
      8,
      "What is odd: a ring, or is the galaxy disturbed or irregular?",
      ["ring", "lens or arc", "disturbed", "irregular", "something else", "merger", "dust lane"],
      ["Class6.1"],
    ),
    question(
      9,
      "Does the edge-on disk have a bulge at its centre, and of what shape?",
      ["rounded", "boxy", "no bulge"],
      ["Class2.1"],
    ),
    question(
      10,
      "How tightly wound do the spiral arms appear?",
      ["tight", "medium", "loose"],
      ["Class4.1"],
    ),
    question(
      11,
      "How many spiral arms are there?",
      ["1", "2", "3", "4", "more than 4", "can't tell"],
      ["Class4.1"],
    ),
  ];
}

/**
 * The tree that Kaggle's labels follow: question 6 ("anything odd?") stands on its own and adds up to 1,
 * a quirk of how the challenge's data were made.
 */
export const KAGGLE_TREE: QuestionTree = galaxyZooTree();

/**
 * The tree as Galaxy Zoo 2 asked it (Willett et al. 2013, fig. 1): question 6 is asked of everything that is not a
 * star or an artifact, so it adds up to Class1.1 + Class1.2.
 */
export const PROPER_TREE: QuestionTree = galaxyZooTree(["Class1.1", "Class1.2"]);

/** The 37 columns in the order of Kaggle's files: Class1.1, Class1.2, ... Class11.6. */
export const COLUMNS: readonly string[] = columnsOf(KAGGLE_TREE);

/**
 * The columns of a tree, in order: the answers of its questions, one after the other.
 * @throws TypeError for a tree without questions, a question without answers, a column that comes twice, and a parent
 * that is not a column of an earlier question.
 */
export function columnsOf(tree: QuestionTree): string[] {
  if (tree.length === 0)
    throw new TypeError("columnsOf: expected at least one question for tree but got none");
  const columns: string[] = [];
  for (const { name, answers, parents = [] } of tree) {
    if (answers.length === 0)
      throw new TypeError(`columnsOf: expected at least one answer for ${name} but got none`);
    for (const parent of parents)
      if (!columns.includes(parent))
        throw new TypeError(
          `columnsOf: expected a column of an earlier question as parent of ${name} but got ${JSON.stringify(parent)}`,
        );
    for (const answer of answers) {
      if (columns.includes(answer) || answers.indexOf(answer) !== answers.lastIndexOf(answer))
        throw new TypeError(
          `columnsOf: expected each column once but ${JSON.stringify(answer)} of ${name} comes twice`,
        );
    }
    columns.push(...answers);
  }
  return columns;
}
