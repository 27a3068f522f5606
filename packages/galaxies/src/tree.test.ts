import { expect, test } from "vitest";
import { COLUMNS, columnsOf, KAGGLE_TREE, PROPER_TREE, type QuestionTree } from "./tree.ts";

test("the columns are Kaggle's 37, in Kaggle's order", () => {
  const counts = [3, 2, 2, 2, 4, 2, 3, 7, 3, 3, 6];
  expect(COLUMNS).toEqual(
    counts.flatMap((count, q) => Array.from({ length: count }, (_, k) => `Class${q + 1}.${k + 1}`)),
  );
  expect(COLUMNS).toHaveLength(37);
});

test("questions hang from the answers that lead to them (method: columns scaled by columns)", () => {
  // [first column, one past the last, columns of the parents], counted from 0
  const expected = [
    [0, 3, []],
    [3, 5, [1]],
    [5, 7, [4]],
    [7, 9, [4]],
    [9, 13, [4]],
    [13, 15, []],
    [15, 18, [0]],
    [18, 25, [13]],
    [25, 28, [3]],
    [28, 31, [7]],
    [31, 37, [7]],
  ];
  const found = KAGGLE_TREE.map(({ answers, parents = [] }) => [
    COLUMNS.indexOf(answers[0]!),
    COLUMNS.indexOf(answers.at(-1)!) + 1,
    parents.map((parent) => COLUMNS.indexOf(parent)),
  ]);
  expect(found).toEqual(expected);
});

test("the proper tree differs in question 6 alone", () => {
  expect(PROPER_TREE[5]!.parents).toEqual(["Class1.1", "Class1.2"]);
  expect(PROPER_TREE.map((question, i) => (i === 5 ? KAGGLE_TREE[5] : question))).toEqual(
    KAGGLE_TREE,
  );
});

test("every answer has words, and every parent comes before its question", () => {
  for (const tree of [KAGGLE_TREE, PROPER_TREE]) {
    const before: string[] = [];
    for (const { text, answers, answerTexts, parents = [] } of tree) {
      expect(text).toMatch(/\?$/);
      expect(answerTexts).toHaveLength(answers.length);
      for (const parent of parents) expect(before).toContain(parent);
      before.push(...answers);
    }
  }
});

test.each<[QuestionTree, string]>([
  [[], "expected at least one question for tree but got none"],
  [[{ name: "q", answers: [] }], "expected at least one answer for q but got none"],
  [[{ name: "q", answers: ["a", "b", "a"] }], 'expected each column once but "a" of q comes twice'],
  [
    [
      { name: "q", answers: ["a"] },
      { name: "r", answers: ["b", "a"] },
    ],
    'expected each column once but "a" of r comes twice',
  ],
  [
    [
      { name: "q", answers: ["a", "b"], parents: ["c"] },
      { name: "r", answers: ["c"] },
    ],
    'expected a column of an earlier question as parent of q but got "c"',
  ],
  [
    [{ name: "q", answers: ["a", "b"], parents: ["a"] }],
    'expected a column of an earlier question as parent of q but got "a"',
  ],
])("a tree that cannot be one is refused (%#)", (tree, message) => {
  expect(() => columnsOf(tree)).toThrow(new TypeError(`columnsOf: ${message}`));
});
