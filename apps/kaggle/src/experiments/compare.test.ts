import { expect, test } from "vitest";
import { estimate, pairedDifference, verdictOf } from "./compare.ts";

test("a mean with its standard error, by hand", () => {
  // Deviations -0.01, 0.01, 0: variance 0.0001, standard error 0.01 / sqrt(3).
  const { mean, standardError, count } = estimate([0.1, 0.12, 0.11]);
  expect([mean, standardError!]).toBeAllClose([0.11, 0.01 / Math.sqrt(3)], { atol: 1e-15 });
  expect(count).toBe(3);
  expect(estimate([0.25])).toEqual({ mean: 0.25, count: 1 });
});

test("differences are taken seed by seed, so that what seeds do to both falls out", () => {
  const base = [0.09, 0.11, 0.1].map((rmse, i) => ({ seed: i + 1, rmse }));
  const variant = [
    { seed: 3, rmse: 0.103 },
    { seed: 1, rmse: 0.092 },
    { seed: 2, rmse: 0.112 },
    { seed: 4, rmse: 0.5 }, // the base has no such seed
  ];
  const difference = pairedDifference(variant, base)!;
  // 0.003, 0.002, 0.002: mean 0.007 / 3, variance 1e-6 / 3.
  expect([difference.mean, difference.standardError!]).toBeAllClose([0.007 / 3, 1e-3 / 3], {
    atol: 1e-12,
  });
  expect(difference.count).toBe(3);
  expect(pairedDifference([{ seed: 4, rmse: 0.5 }], base)).toBeUndefined();
});

test.each([
  [{ mean: -0.0044, standardError: 0.001, count: 3 }, "better"], // t of 2 degrees of freedom: 4.303
  [{ mean: -0.0043, standardError: 0.001, count: 3 }, "no clear difference"],
  [{ mean: 0.0028, standardError: 0.001, count: 5 }, "worse"], // of 4: 2.776
  [{ mean: 0.0027, standardError: 0.001, count: 5 }, "no clear difference"],
  [{ mean: 0.0023, standardError: 0.001, count: 100 }, "worse"], // never less than of 10: 2.228
  [{ mean: 0.3, count: 1 }, "one seed"],
])("%j is %s", (difference, verdict) => {
  expect(verdictOf(difference)).toBe(verdict);
});
