/**
 * One galaxy's votes on the question tree: a row for each question that people or the network reached, indented under
 * the answer that leads to it. Bars are as long as the share of people who were asked; the thick one shows the true
 * fractions, the thin one below it the predicted.
 */
import { COLUMNS, KAGGLE_TREE, type Question } from "@gz/galaxies";
import { formatVote } from "../cli/format.ts";
import { shortName } from "../evaluation/scores.ts";
import { type Html, html } from "./html.ts";

const WIDTH = 350;
const BARS = { x: 122, width: WIDTH - 122 };
const ROW = 34;
const INDENT = 11;
/** Questions that fewer than this share of people were asked, in truth and prediction, are not drawn. */
const SHOWN = 0.1;

type Votes = ArrayLike<number>;

interface Row {
  question: Question;
  depth: number;
  /** Row of the question above, -1 at the root. */
  parent: number;
}

export function drawTree(truth: Votes, predicted: Votes): Html {
  const rows = rowsOf(truth, predicted);
  const height = rows.length * ROW;
  return html`<svg class="tree" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Vote fractions on the question tree">${rows.map(
    (row, i) => [connector(rows, i), drawRow(row, i, truth, predicted)],
  )}</svg>`;
}

/** Depth first, so that a question stands under the one it hangs from. */
function rowsOf(truth: Votes, predicted: Votes): Row[] {
  const rows: Row[] = [];
  const visit = (question: Question, depth: number, parent: number) => {
    if (Math.max(asked(question, truth), asked(question, predicted)) < SHOWN) return;
    const at = rows.push({ question, depth, parent }) - 1;
    for (const child of KAGGLE_TREE)
      if (child.parents?.some((answer) => question.answers.includes(answer)))
        visit(child, depth + 1, at);
  };
  for (const question of KAGGLE_TREE) if (!question.parents) visit(question, 0, -1);
  return rows;
}

/** Share of people who get to a question: the sum of its answers. */
function asked({ answers }: Question, votes: Votes): number {
  return answers.reduce((sum, answer) => sum + voteOf(answer, votes), 0);
}

function voteOf(answer: string, votes: Votes): number {
  return votes[COLUMNS.indexOf(answer)]!;
}

function connector(rows: readonly Row[], i: number): Html | undefined {
  const { depth, parent } = rows[i]!;
  if (parent < 0) return undefined;
  const x = (depth - 1) * INDENT + 3.5;
  const y = i * ROW + 17;
  return html`<path class="branch" d="M${x} ${parent * ROW + 23}V${y}H${x + INDENT - 5}"/>`;
}

function drawRow({ question, depth }: Row, i: number, truth: Votes, predicted: Votes): Html {
  const y = i * ROW;
  return html`<g><text class="question" x="${depth * INDENT}" y="${y + 21}">${shortName(question)}</text>${bar(question, truth, y + 12, 9, true)}${bar(question, predicted, y + 23, 5, false)}</g>`;
}

function bar(question: Question, votes: Votes, y: number, height: number, named: boolean): Html {
  let x = BARS.x;
  return html`${question.answers.map((answer, k) => {
    const vote = voteOf(answer, votes);
    const width = Math.max(0, vote) * BARS.width;
    const start = x;
    x += width;
    if (width < 0.5) return undefined;
    const text = question.answerTexts![k]!;
    // About 4.7 units a letter at this size. A name that does not fit above its part is left to the title.
    const fits = named && text.length * 4.7 + 4 < width;
    return html`<rect class="answer-${k + 1}" x="${start.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 1).toFixed(1)}" height="${height}"><title>${text}: ${named ? "true" : "predicted"} ${formatVote(vote)}</title></rect>${fits && html`<text class="answer" x="${start.toFixed(1)}" y="${y - 3}">${text}</text>`}`;
  })}`;
}
