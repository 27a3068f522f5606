// A question tree checked, and as constant matrices.
import { show } from "./_layer.ts";

/** One question: its answers are columns, in order; it is asked in proportion to the summed probability of its parents. */
export interface Question {
  /** Short name, for messages. */
  name: string;
  /** The question in words. */
  text?: string;
  /** Column names, unique in the whole tree. */
  answers: readonly string[];
  /** The answers in words. */
  answerTexts?: readonly string[];
  /** Columns of earlier questions whose probabilities are summed to weight this one; absent or empty: weight 1. */
  parents?: readonly string[];
}

/** Questions in the order of their columns: column k of the network is the k-th answer of the concatenated questions. */
export type QuestionTree = readonly Question[];

/** A tree as the constants that the output layer computes with; K columns, matrices [K, K] row-major. */
export interface TreeMatrices {
  columns: number;
  /** Longest chain of parents: how many times weights must be handed down. */
  depth: number;
  /** [j, k] = 1 where columns j and k answer the same question. */
  group: Float32Array;
  /** [j, k] = 1 where column j is a parent of column k's question. */
  down: Float32Array;
  /** [k, j]: `down` transposed. */
  up: Float32Array;
  /** [k] = 1 where column k's question has no parents. */
  root: Float32Array;
  /** [k] = question of column k. */
  question: Int32Array;
  /** [question, answer] = column; short questions are filled up with their first column. */
  slots: Int32Array;
}

function fail(message: string): never {
  throw new TypeError(`treeOutput: ${message}`);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function checkQuestion(question: Question, index: number): void {
  if (!isText(question?.name))
    fail(`expected a name for tree[${index}] but got ${show(question?.name)}`);
  const { name, answers, parents = [] } = question;
  if (!Array.isArray(answers) || answers.length === 0 || !answers.every(isText))
    fail(
      `expected at least one column name as answers of question "${name}" but got ${show(answers)}`,
    );
  if (!Array.isArray(parents) || !parents.every(isText))
    fail(`expected column names as parents of question "${name}" but got ${show(parents)}`);
}

/** Parent number `i` of question number `q`; `owners` tells each column's question. */
function checkParent(
  { name, parents = [] }: Question,
  i: number,
  q: number,
  tree: QuestionTree,
  owners: Map<string, number>,
): void {
  const column = parents[i]!;
  const owner = owners.get(column);
  const wanted = `expected a column of an earlier question as parent of "${name}" but`;
  if (owner === undefined) fail(`${wanted} got the unknown "${column}"`);
  if (owner === q) fail(`${wanted} "${column}" belongs to itself`);
  if (owner > q) fail(`${wanted} "${column}" belongs to "${tree[owner]!.name}", which comes later`);
  if (parents.indexOf(column) !== i)
    fail(`expected each parent of "${name}" once but got "${column}" twice`);
}

/** The tree's matrices. Throws a TypeError for an unknown or later parent, a column that comes twice, a question without answers. */
export function treeMatrices(tree: QuestionTree): TreeMatrices {
  if (!Array.isArray(tree) || tree.length === 0)
    fail(`expected an array of at least one question for tree but got ${show(tree)}`);
  const questions: QuestionTree = tree;
  questions.forEach(checkQuestion);
  const all = new Map<string, number>(); // column -> question
  questions.forEach(({ name, answers }, q) => {
    for (const column of answers) {
      if (all.has(column))
        fail(
          `expected unique columns but "${column}" of question "${name}" is also in "${questions[all.get(column)!]!.name}"`,
        );
      all.set(column, q);
    }
  });
  const names = [...all.keys()];
  const columns = names.length;
  const group = new Float32Array(columns * columns);
  const down = new Float32Array(columns * columns);
  const up = new Float32Array(columns * columns);
  const root = new Float32Array(columns);
  const widest = Math.max(...questions.map(({ answers }) => answers.length));
  const slots: number[] = [];
  const depths: number[] = [];
  questions.forEach((question, q) => {
    const parents = (question.parents ?? []).map((column, i) => {
      checkParent(question, i, q, questions, all);
      return names.indexOf(column);
    });
    depths.push(Math.max(0, ...parents.map((j) => depths[all.get(names[j]!)!]! + 1)));
    const mine = question.answers.map((column) => names.indexOf(column));
    for (const k of mine) {
      for (const j of mine) group[j * columns + k] = 1;
      for (const j of parents) down[j * columns + k] = up[k * columns + j] = 1;
      if (parents.length === 0) root[k] = 1;
    }
    for (let a = 0; a < widest; a++) slots.push(mine[a] ?? mine[0]!);
  });
  return {
    columns,
    depth: Math.max(...depths),
    group,
    down,
    up,
    root,
    question: Int32Array.from(all.values()),
    slots: Int32Array.from(slots),
  };
}
