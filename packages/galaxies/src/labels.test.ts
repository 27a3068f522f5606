import { expect, test } from "vitest";
import { votes } from "../test/helpers.ts";
import { labelCheck } from "./labels.ts";
import { COLUMNS, KAGGLE_TREE } from "./tree.ts";

const labelProblem = labelCheck(KAGGLE_TREE);

function changed(column: string, by: number): number[] {
  const values = votes();
  values[COLUMNS.indexOf(column)]! += by;
  return values;
}

test("votes that keep the tree pass, with the noise of 6 and 9 digit decimals", () => {
  expect(labelProblem(votes())).toBeUndefined();
  expect(labelProblem(votes(0))).toBeUndefined();
  expect(labelProblem(votes(1))).toBeUndefined();
  expect(labelProblem(votes(0.3).map((value) => Number(value.toFixed(6))))).toBeUndefined();
  expect(labelProblem(Float32Array.from(votes(1 / 3)))).toBeUndefined();
  expect(labelProblem(changed("Class1.1", 9e-6))).toBeUndefined();
});

test("a question that does not add up is named with what it should be", () => {
  expect(labelProblem(changed("Class1.2", 2e-5))).toBe(
    "expected the answers of Q1 (Class1.1 to Class1.3) to add up to 1 within 0.00001 but got 1.00002",
  );
  expect(labelProblem(changed("Class11.6", 0.1))).toBe(
    "expected the answers of Q11 (Class11.1 to Class11.6) to add up to Class4.1 = 0.0625 within 0.00001 but got 0.1625",
  );
  // question 6 stands on its own
  expect(labelProblem(changed("Class6.2", -0.25))).toBe(
    "expected the answers of Q6 (Class6.1 to Class6.2) to add up to 1 within 0.00001 but got 0.75",
  );
});

test("a fraction outside 0 to 1, or none, is named", () => {
  expect(labelProblem(changed("Class3.1", -0.5))).toBe(
    "expected a vote fraction from 0 to 1 for Class3.1 but got -0.4375",
  );
  expect(labelProblem(changed("Class1.1", 1))).toBe(
    "expected a vote fraction from 0 to 1 for Class1.1 but got 1.5",
  );
  expect(labelProblem(changed("Class8.7", Number.NaN))).toBe(
    "expected a vote fraction from 0 to 1 for Class8.7 but got NaN",
  );
});

test("another tree is checked by its own columns, sums over several parents included", () => {
  const check = labelCheck([
    { name: "kind", answers: ["star", "galaxy", "quasar"] },
    { name: "merging", answers: ["yes", "no"], parents: ["galaxy", "quasar"] },
  ]);
  expect(check([0.2, 0.5, 0.3, 0.6, 0.2])).toBeUndefined();
  expect(check([0.2, 0.5, 0.3, 0.6, 0.4])).toBe(
    "expected the answers of merging (yes to no) to add up to galaxy + quasar = 0.8 within 0.00001 but got 1",
  );
  expect(check([0.2, 0.5, 0.3, -0.1, 0.9])).toBe(
    "expected a vote fraction from 0 to 1 for yes but got -0.1",
  );
});
