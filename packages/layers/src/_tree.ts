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

export interface TreeMatrices {
  columns: number;
  /** Longest chain of parents: how many times weights must be handed down. */
  depth: number;
  /** [k, j] = 1 where columns k and j answer the same question. */
  group: Float32Array;
  /** [k, j] = 1 where column j is a parent of column k's question. */
  parent: Float32Array;
  /** [j, k]: `parent` transposed. */
  child: Float32Array;
  /** [k] = 1 where column k's question has no parents. */
  root: Float32Array;
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

/** The tree's matrices. Throws a TypeError for an unknown or later parent, a column that comes twice, a question without answers. */
export function treeMatrices(tree: QuestionTree): TreeMatrices {
  if (!Array.isArray(tree) || tree.length === 0)
    fail(`expected an array of at least one question for tree but got ${show(tree)}`);
  tree.forEach(checkQuestion);
  const all = new Map<string, number>(); // column -> question
  tree.forEach(({ name, answers }, q) => {
    for (const column of answers) {
      if (all.has(column))
        fail(
          `expected unique columns but "${column}" of question "${name}" is also in "${tree[all.get(column)!]!.name}"`,
        );
      all.set(column, q);
    }
  });
  const names = [...all.keys()];
  const columns = names.length;
  const group = new Float32Array(columns * columns);
  const parent = new Float32Array(columns * columns);
  const child = new Float32Array(columns * columns);
  const root = new Float32Array(columns);
  const depths: number[] = [];
  tree.forEach(({ name, answers, parents = [] }, q) => {
    let depth = 0;
    for (const [i, column] of parents.entries()) {
      const owner = all.get(column);
      if (owner === undefined)
        fail(
          `expected a column of an earlier question as parent of "${name}" but got the unknown "${column}"`,
        );
      if (owner >= q)
        fail(
          `expected a column of an earlier question as parent of "${name}" but "${column}" belongs to ${owner === q ? "itself" : `"${tree[owner]!.name}", which comes later`}`,
        );
      if (parents.indexOf(column) !== i)
        fail(`expected each parent of "${name}" once but got "${column}" twice`);
      depth = Math.max(depth, depths[owner]! + 1);
    }
    depths.push(depth);
    const mine = answers.map((column: string) => names.indexOf(column));
    for (const k of mine) {
      for (const j of mine) group[k * columns + j] = 1;
      for (const column of parents) {
        const j = names.indexOf(column);
        parent[k * columns + j] = 1;
        child[j * columns + k] = 1;
      }
      if (depth === 0) root[k] = 1;
    }
  });
  return { columns, depth: Math.max(...depths), group, parent, child, root };
}
