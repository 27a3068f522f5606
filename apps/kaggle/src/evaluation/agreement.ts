/**
 * Whether the network's favourite answer is the volunteers', and how that grows with their agreement
 * (Dieleman, Willett & Dambre 2015). Predictions and labels are [galaxies, columns of the tree], row-major.
 */
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import { type PlacedQuestion, placedQuestions } from "./questions.ts";

/** A question counts for a galaxy of which at least this share of the volunteers came to it. */
const ASKED = 0.5;

/** Agreements from which accuracy is counted: 0, 0.05, … 1. */
const THRESHOLDS = Array.from({ length: 21 }, (_, i) => i / 20);

/**
 * a(p) = 1 - H(p) / log n of the votes for n answers, p being the votes divided by their sum: 1 where all agree, 0 where
 * every answer has as many.
 * @throws RangeError unless there are two votes or more, none negative, with a positive sum
 */
export function agreement(votes: ArrayLike<number>): number {
  const list = Array.from(votes);
  const sum = list.reduce((total, vote) => total + vote, 0);
  if (list.length < 2 || list.some((vote) => vote < 0) || !(sum > 0 && Number.isFinite(sum)))
    throw new RangeError(
      `agreement: expected two or more votes of at least 0 with a positive sum but got ${list.join(", ")}`,
    );
  const entropy = list.reduce((total, vote) => {
    const p = vote / sum;
    return p > 0 ? total - p * Math.log(p) : total;
  }, 0);
  // Rounding may leave votes that are all alike a hair below 0.
  return Math.max(0, 1 - entropy / Math.log(list.length));
}

/** Accuracy over the galaxies whose volunteers agree at least this much. */
interface AgreementPoint {
  threshold: number;
  galaxies: number;
  /** Share of them whose favourite answer is predicted. */
  accuracy: number;
  /** The same for one answer given to all: the most frequent favourite among them. */
  commonest: number;
}

/** How often one question's favourite answer is predicted. */
export interface QuestionAgreement {
  question: string;
  /** Galaxies of which at least half of the volunteers (ASKED) came to the question. */
  asked: number;
  /** For rising agreement, while there are galaxies. */
  points: AgreementPoint[];
}

/**
 * The accuracy-against-agreement curve of every question. The favourite answer is the one with the most votes; where
 * volunteers are tied, any of the tied is right, and among tied predictions the first is taken.
 */
export function accuracyByAgreement(
  predictions: Float32Array,
  labels: Float32Array,
  tree: QuestionTree,
): QuestionAgreement[] {
  const width = columnsOf(tree).length;
  return placedQuestions(tree).map((placed) => {
    const { question } = placed;
    const rows = askedRows(predictions, labels, width, placed);
    const points = THRESHOLDS.flatMap((threshold): AgreementPoint[] => {
      const agreed = rows.filter((row) => row.agreement >= threshold);
      if (agreed.length === 0) return [];
      const favourites = question.answers.map(
        (_, k) => agreed.filter(({ votes, top }) => votes[k] === votes[top]).length,
      );
      return [
        {
          threshold,
          galaxies: agreed.length,
          accuracy: agreed.filter(isRight).length / agreed.length,
          commonest: Math.max(...favourites) / agreed.length,
        },
      ];
    });
    return { question: question.name, asked: rows.length, points };
  });
}

/** A galaxy about which the network contradicts its volunteers. */
export interface Contradiction {
  /** Row of the galaxy. */
  row: number;
  question: string;
  /** Columns of the volunteers' favourite and of the network's. */
  volunteers: number;
  network: number;
  /** Shares of the two answers among those who came to the question: votes, then predicted. */
  votes: [volunteers: number, network: number];
  predicted: [volunteers: number, network: number];
}

/**
 * The worst contradictions of clear majorities (agreement of 0.5 or more), one a galaxy, the one that gives the
 * volunteers' favourite the least of its votes first.
 */
export function contradictions(
  predictions: Float32Array,
  labels: Float32Array,
  tree: QuestionTree,
  most: number,
): Contradiction[] {
  const width = columnsOf(tree).length;
  const all = placedQuestions(tree).flatMap((placed) => {
    const { question, first } = placed;
    return askedRows(predictions, labels, width, placed)
      .filter((row) => row.agreement >= 0.5 && !isRight(row))
      .map(({ row, votes, predicted, top, predictedTop }): Contradiction => {
        // A network may give a question nothing at all.
        const share = (values: Float32Array, k: number) =>
          values[k]! / (values.reduce((sum, value) => sum + value, 0) || 1);
        return {
          row,
          question: question.name,
          volunteers: first + top,
          network: first + predictedTop,
          votes: [share(votes, top), share(votes, predictedTop)],
          predicted: [share(predicted, top), share(predicted, predictedTop)],
        };
      });
  });
  const size = ({ votes, predicted }: Contradiction) => votes[0] - predicted[0];
  const seen = new Set<number>();
  return all
    .sort((a, b) => size(b) - size(a) || a.row - b.row)
    .filter(({ row }) => !seen.has(row) && seen.add(row))
    .slice(0, most);
}

interface AskedRow {
  row: number;
  votes: Float32Array;
  predicted: Float32Array;
  agreement: number;
  /** Position of the favourite answer in the question: the volunteers', the network's. */
  top: number;
  predictedTop: number;
}

function askedRows(
  predictions: Float32Array,
  labels: Float32Array,
  width: number,
  { first, end }: PlacedQuestion,
): AskedRow[] {
  const rows: AskedRow[] = [];
  if (end - first < 2) return rows; // a single answer, about which nobody can disagree
  for (let row = 0; row < labels.length / width; row++) {
    const at = row * width;
    const votes = labels.subarray(at + first, at + end);
    if (votes.reduce((sum, vote) => sum + vote, 0) < ASKED) continue;
    const predicted = predictions.subarray(at + first, at + end);
    rows.push({
      row,
      votes,
      predicted,
      // Published labels may hold a -1e-8 of rounding.
      agreement: agreement(votes.map((vote) => Math.max(0, vote))),
      top: argmax(votes),
      predictedTop: argmax(predicted),
    });
  }
  return rows;
}

function isRight({ votes, top, predictedTop }: AskedRow): boolean {
  return votes[predictedTop] === votes[top];
}

function argmax(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}
