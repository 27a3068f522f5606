/** What predictions and labels tell, against numpy and scipy (fixtures/evaluation.py) and small cases by hand. */
import { readFileSync } from "node:fs";
import { COLUMNS, KAGGLE_TREE, PROPER_TREE } from "@gz/galaxies";
import { expect, test } from "vitest";
import { accuracyByAgreement, agreement, contradictions } from "../src/evaluation/agreement.ts";
import { violation } from "../src/evaluation/constraints.ts";
import { createEquivariance, TURNED } from "../src/evaluation/equivariance.ts";
import { extremes } from "../src/evaluation/extremes.ts";
import { judge } from "../src/evaluation/judgement.ts";
import { answerName, placedQuestions } from "../src/evaluation/questions.ts";
import { reliability } from "../src/evaluation/reliability.ts";

const golden = JSON.parse(
  readFileSync(new URL("./fixtures/evaluation.json", import.meta.url), "utf8"),
);
const labels = Float32Array.from(golden.labels);
const predictions = Float32Array.from(golden.predictions);

test("judges 40 galaxies as numpy does", () => {
  const judgement = judge(predictions, labels, KAGGLE_TREE);
  const near = { rtol: 1e-9, atol: 1e-12 };
  expect(judgement.galaxies).toBe(40);
  expect(judgement.rmse).toBeCloseTo(golden.rmse, 12);
  expect(judgement.questions).toBeAllClose(golden.questions, near);
  expect(judgement.answers).toBeAllClose(golden.answers, near);
  for (const [q, curve] of golden.curves.entries()) {
    const { asked, points } = judgement.agreement[q]!;
    expect(asked).toBe(curve[0][1]);
    expect(points.map(({ threshold, galaxies }) => [threshold, galaxies])).toEqual(
      curve.map((point: number[]) => point.slice(0, 2)),
    );
    expect(points.flatMap(({ accuracy, commonest }) => [accuracy, commonest])).toBeAllClose(
      curve.flatMap((point: number[]) => point.slice(2)),
      near,
    );
  }
  expect(judgement.reliability.bins.map(({ from, count }) => [from, count])).toEqual(
    golden.reliability.bins.map(([bin, count]: number[]) => [bin! / 10, count]),
  );
  expect(
    judgement.reliability.bins.flatMap(({ predicted, observed }) => [predicted, observed]),
  ).toBeAllClose(
    golden.reliability.bins.flatMap((bin: number[]) => bin.slice(2)),
    near,
  );
  expect(judgement.reliability.calibrationError).toBeCloseTo(golden.reliability.ece, 12);
  expect(judgement.questionReliability.map((r) => r.calibrationError)).toBeAllClose(
    golden.questionReliability,
    near,
  );
  for (const side of ["zeros", "ones"] as const) {
    const { labels: count, ...rest } = judgement[side];
    expect(count).toBe(golden[side].labels);
    expect(Object.values(rest)).toBeAllClose(
      Object.keys(rest).map((key) => golden[side][key]),
      near,
    );
  }
  expect(judgement.violation.questions).toBeAllClose(golden.violation.questions, near);
  expect(judgement.violation.sum).toBeCloseTo(golden.violation.sum, 12);
  expect(judgement.violation.range).toBeCloseTo(golden.violation.range, 12);
});

test("agreement is scipy's entropy turned round, and says what it cannot take", () => {
  for (const [q, rows] of golden.agreement.entries()) {
    const { first, end } = placedQuestions(KAGGLE_TREE)[q]!;
    for (const [row, value] of rows)
      expect(agreement(labels.subarray(row * 37 + first, row * 37 + end))).toBeCloseTo(value, 9);
  }
  expect(agreement([5, 0, 0])).toBe(1);
  expect(agreement([0.2, 0.2, 0.2, 0.2, 0.2])).toBe(0);
  // H(3/4, 1/4) is 2 - (3/4) log2 3 bits, of 1.
  expect(agreement([3, 1])).toBeCloseTo(1 - (2 - 0.75 * Math.log2(3)), 12);
  const message = (votes: string) =>
    `agreement: expected two or more votes of at least 0 with a positive sum but got ${votes}`;
  expect(() => agreement([1])).toThrow(message("1"));
  expect(() => agreement([0, 0])).toThrow(message("0, 0"));
  expect(() => agreement([1, -0.5])).toThrow(message("1, -0.5"));
  expect(() => agreement([1, Number.NaN])).toThrow(message("1, NaN"));
});

/** A galaxy of these fractions, 0 elsewhere. */
function galaxy(entries: Record<string, number>): number[] {
  return COLUMNS.map((column) => entries[column] ?? 0);
}

test("a question counts where half of the volunteers came to it, and ties have two right answers", () => {
  const truth = Float32Array.from([
    ...galaxy({ "Class1.1": 0.5, "Class1.2": 0.5, "Class7.1": 0.4, "Class7.2": 0.1 }),
    ...galaxy({ "Class1.1": 0.4, "Class1.2": 0.6, "Class7.1": 0.4 }),
    ...galaxy({ "Class1.1": 1, "Class7.3": 1 }),
  ]);
  const predicted = Float32Array.from([
    ...galaxy({ "Class1.1": 0.4, "Class1.2": 0.6, "Class7.1": 0.5 }),
    ...galaxy({ "Class1.1": 0.6, "Class1.2": 0.4, "Class7.2": 0.6 }),
    ...galaxy({ "Class1.1": 0.9, "Class1.2": 0.1, "Class7.1": 0.6, "Class7.3": 0.3 }),
  ]);
  const byQuestion = accuracyByAgreement(predicted, truth, KAGGLE_TREE);
  const smooth = byQuestion[0]!;
  // Galaxy 1 is a tie: right. Galaxy 2 wrong, galaxy 3 right. The commonest favourite, smooth, has 2 of 3.
  expect(smooth.points[0]).toEqual({
    threshold: 0,
    galaxies: 3,
    accuracy: 2 / 3,
    commonest: 2 / 3,
  });
  expect(smooth.points.at(-1)).toEqual({ threshold: 1, galaxies: 1, accuracy: 1, commonest: 1 });
  // Question 7 was put to 0.5, 0.4 and 1 of the volunteers.
  expect(byQuestion[6]!).toMatchObject({ question: "Q7", asked: 2 });
  expect(byQuestion[6]!.points[0]).toMatchObject({ galaxies: 2, accuracy: 0.5, commonest: 0.5 });
  expect(byQuestion[9]).toEqual({ question: "Q10", asked: 0, points: [] });

  const [only, ...others] = contradictions(predicted, truth, KAGGLE_TREE, 5);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ row: 2, question: "Q7", volunteers: 17, network: 15 });
  expect([...only!.votes, ...only!.predicted]).toBeAllClose([1, 0, 1 / 3, 2 / 3]);
  expect(contradictions(predicted, truth, KAGGLE_TREE, 0)).toEqual([]);
});

test("reliability: bins by hand", () => {
  const { bins, calibrationError } = reliability([-0.1, 0.05, 0.1, 1, 1.2], [0, 0.2, 0.3, 1, 0.5]);
  expect(bins.map(({ from, to, count }) => [from, to, count])).toEqual([
    [0, 0.1, 2],
    [0.1, 0.2, 1],
    [0.9, 1, 2],
  ]);
  expect(bins.map(({ predicted, observed }) => predicted - observed)).toBeAllClose([
    -0.125, -0.2, 0.35,
  ]);
  expect(calibrationError).toBeCloseTo((2 * 0.125 + 0.2 + 2 * 0.35) / 5, 12);
  expect(() => reliability([], [])).toThrow("at least one, but got 0 and 0");
  expect(() => reliability([1], [1, 2])).toThrow("but got 2 and 1");
});

test("hard labels: by hand", () => {
  expect(extremes([0, 0.005, 0.5, 0.9, 0.3], [0, 0, 0, 1, 0.3])).toEqual({
    zeros: {
      labels: 3,
      mean: 0.505 / 3,
      rmse: Math.sqrt((0.005 ** 2 + 0.25) / 3),
      near: 2 / 3,
      exact: 1 / 3,
      errorShare: expect.closeTo((0.005 ** 2 + 0.25) / (0.005 ** 2 + 0.25 + 0.01), 12),
    },
    ones: {
      labels: 1,
      mean: 0.9,
      rmse: expect.closeTo(0.1, 12),
      near: 0,
      exact: 0,
      errorShare: expect.closeTo(0.01 / (0.005 ** 2 + 0.25 + 0.01), 12),
    },
  });
  // A perfect prediction has no error to share.
  expect(extremes([0], [0])).toEqual({
    zeros: { labels: 1, mean: 0, rmse: 0, near: 1, exact: 1 },
    ones: { labels: 0 },
  });
  expect(() => extremes([1], [])).toThrow("extremes: expected 0 predictions, as for labels");
});

test("the tree's rule is that of the network's own tree", () => {
  // Nothing odd was asked of stars: right by the proper tree, 0.25 too little by Kaggle's.
  const star = Float32Array.from(
    galaxy({ "Class1.1": 0.75, "Class1.3": 0.25, "Class6.2": 0.75, "Class7.1": 0.75 }),
  );
  expect(violation(star, PROPER_TREE)).toEqual({ questions: Array(11).fill(0), sum: 0, range: 0 });
  expect(violation(star, KAGGLE_TREE).questions).toEqual([0, 0, 0, 0, 0, 0.25, 0, 0, 0, 0, 0]);
});

test("turning: single views and means of eight, by hand", () => {
  // Column 4 changes with the turn within a quarter, +1, 0, -1 tenths, which no mean of quarter turns removes;
  // column 7 with the mirror alone, which every mean removes.
  const outputs = new Float32Array(TURNED.length * 37);
  TURNED.forEach(({ rotation, flip }, t) => {
    outputs[t * 37 + 4] = 0.5 + [0.1, 0, -0.1][(rotation / 30) % 3]!;
    outputs[t * 37 + 7] = flip ? 0.25 : 0.75;
  });
  const still = new Float32Array(TURNED.length * 37).fill(0.5);
  const truth = Float32Array.from({ length: 37 }, (_, k) => k / 100);
  const equivariance = createEquivariance(KAGGLE_TREE, 1);
  equivariance.add(8, still, truth);
  equivariance.add(9, outputs, truth);
  const { galaxies, before, after, questions, examples } = equivariance.result();
  const inColumn4 = 0.01;
  const inColumn7 = 0.0625;
  expect(galaxies).toBe(2);
  expect(before).toBeCloseTo(Math.sqrt((inColumn4 + inColumn7) / 37 / 2), 6);
  expect(after).toBeCloseTo(Math.sqrt(0.01 / 37 / 2), 6);
  expect(questions[1]!.before).toBeCloseTo(Math.sqrt(inColumn4 / 2 / 2), 6);
  expect(questions[1]!.after).toBeCloseTo(Math.sqrt(0.01 / 2 / 2), 6);
  expect(questions[3]!.after).toBeCloseTo(0, 6);
  expect(questions[0]).toEqual({ before: 0, after: 0 });
  // Question 2 is the same under quarter turns and mirrors: averaging them gains nothing.
  expect(questions[1]!.before).toBeCloseTo(questions[1]!.after, 12);
  expect(examples).toEqual([
    {
      id: 9,
      column: 7,
      label: Math.fround(0.07),
      plain: Array(12).fill(0.75),
      mirrored: Array(12).fill(0.25),
    },
  ]);
  expect(TURNED.map(({ rotation, flip }) => (flip ? -rotation : rotation)).slice(0, 5)).toEqual([
    0, -0, 30, -30, 60,
  ]);
  expect(() => createEquivariance(KAGGLE_TREE, 1).result()).toThrow("expected at least one galaxy");
  expect(() => equivariance.add(3, new Float32Array(5), truth)).toThrow(
    "add: expected 24 x 37 outputs for galaxy 3 but got 5",
  );
});

test("questions of one's own, without words for the answers", () => {
  const tree = [
    { name: "kind", answers: ["star", "galaxy"] },
    { name: "merging", answers: ["merging", "alone"], parents: ["galaxy"] },
  ];
  const truth = Float32Array.from([0.25, 0.75, 0.75, 0, 1, 0, 0, 0]);
  const predicted = Float32Array.from([0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.25, 0.25]);
  const judgement = judge(predicted, truth, tree);
  expect(judgement).toMatchObject({
    galaxies: 2,
    rmse: Math.sqrt((3 * 0.0625 + 2 * 0.25 + 2 * 0.0625) / 8),
    answers: [Math.sqrt(0.3125 / 2), Math.sqrt(0.3125 / 2), 0.25, Math.sqrt(0.0625 / 2)],
    violation: { questions: [0, 0], sum: 0, range: 0 },
  });
  expect(judgement.questions).toBeAllClose([Math.sqrt(0.625 / 4), Math.sqrt(0.1875 / 4)]);
  expect(judgement.agreement.map(({ question, asked }) => [question, asked])).toEqual([
    ["kind", 2],
    ["merging", 1],
  ]);
  expect(answerName(tree, 3)).toBe("merging: alone");
  expect(answerName(KAGGLE_TREE, 8)).toBe("spiral: no spiral");
});
