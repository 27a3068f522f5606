import { createRng } from "@gz/augment";
import { COLUMNS, KAGGLE_TREE } from "@gz/galaxies";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { trainingLoss } from "../src/training/loss.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const column = new Map(COLUMNS.map((name, k) => [name, k]));

/** Cumulative fractions of a random galaxy: softmax of random numbers in each question, times its parent. */
function fractions(seed: number, spread: number): number[] {
  const rng = createRng(seed);
  const row = new Array<number>(COLUMNS.length).fill(0);
  for (const { answers, parents = [] } of KAGGLE_TREE) {
    const weights = answers.map(() => Math.exp(rng.normal(0, spread)));
    const sum = weights.reduce((a, b) => a + b);
    const parent = parents[0] === undefined ? 1 : row[column.get(parents[0])!]!;
    answers.forEach((answer, i) => {
      row[column.get(answer)!] = (parent * weights[i]!) / sum;
    });
  }
  return row;
}

/** The definition, question by question in float64. */
function crossEntropy(labels: number[], outputs: number[]): number {
  let sum = 0;
  for (const { answers, parents = [] } of KAGGLE_TREE) {
    const parent = parents[0] === undefined ? 1 : outputs[column.get(parents[0])!]!;
    for (const answer of answers) {
      const k = column.get(answer)!;
      sum -= labels[k]! * Math.log(outputs[k]! / parent);
    }
  }
  return sum;
}

test("cross-entropy is the definition's, and squaredError the competition's", async () => {
  const labels = [fractions(1, 1), fractions(2, 1)];
  const outputs = [fractions(3, 0.7), fractions(4, 0.7)];
  const loss = trainingLoss({ loss: "cross-entropy" }, KAGGLE_TREE);
  const value = loss.lossFn(tf.tensor2d(labels), tf.tensor2d(outputs)).dataSync()[0]!;
  const expected =
    (crossEntropy(labels[0]!, outputs[0]!) + crossEntropy(labels[1]!, outputs[1]!)) / 2;
  // 1e-6 beside each fraction keeps the logarithm finite and costs less than 1e-3 of the value.
  expect([value]).toBeAllClose([expected], { rtol: 1e-3 });
  const squares = labels.flatMap((row, i) => row.map((t, k) => (t - outputs[i]![k]!) ** 2));
  expect([await loss.squaredError()]).toBeAllClose([
    squares.reduce((a, b) => a + b) / squares.length,
  ]);
  loss.dispose();
});

test("smoothed labels: part of each question's votes, spread over its answers; those who came to it stay as many", () => {
  const [labels, outputs] = [fractions(6, 1), fractions(7, 0.7)];
  const smoothing = 0.2;
  const smooth = labels.map((_, k) => {
    const { answers } = KAGGLE_TREE.find(({ answers }) => answers.includes(COLUMNS[k]!))!;
    const votes = answers.reduce((sum, answer) => sum + labels[column.get(answer)!]!, 0);
    return (1 - smoothing) * labels[k]! + (smoothing * votes) / answers.length;
  });
  const loss = trainingLoss({ loss: "cross-entropy", smoothing }, KAGGLE_TREE);
  const value = loss.lossFn(tf.tensor2d([labels]), tf.tensor2d([outputs])).dataSync()[0]!;
  expect([value]).toBeAllClose([crossEntropy(smooth, outputs)], { rtol: 1e-3 });
  const exact = trainingLoss({ loss: "cross-entropy" }, KAGGLE_TREE);
  const unsmoothed = exact.lossFn(tf.tensor2d([labels]), tf.tensor2d([outputs])).dataSync()[0]!;
  expect(Math.abs(value - unsmoothed)).toBeGreaterThan(0.01);
  loss.dispose();
  exact.dispose();
});

test("cross-entropy is least at the labels themselves", () => {
  const labels = fractions(5, 1);
  const loss = trainingLoss({ loss: "cross-entropy" }, KAGGLE_TREE);
  const at = (outputs: number[]) =>
    loss.lossFn(tf.tensor2d([labels]), tf.tensor2d([outputs])).dataSync()[0]!;
  const least = at(labels);
  for (let seed = 10; seed < 30; seed++) expect(at(fractions(seed, 1))).toBeGreaterThan(least);
  loss.dispose();
});

test("a loss holds one scalar, however many batches it saw", () => {
  const loss = trainingLoss({ loss: "cross-entropy" }, KAGGLE_TREE);
  const ys = tf.tensor2d([fractions(1, 1)]);
  const step = () => tf.tidy(() => void loss.lossFn(ys, ys));
  step();
  const before = tf.memory().numTensors;
  for (let i = 0; i < 20; i++) step();
  expect(tf.memory().numTensors).toBe(before);
  loss.dispose();
  expect(tf.memory().numTensors).toBe(before - 2);
});
