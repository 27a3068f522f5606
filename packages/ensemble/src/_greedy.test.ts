import fc from "fast-check";
import { expect, test } from "vitest";
import golden from "../test/fixtures/greedy_golden.json" with { type: "json" };
import { drawBags, selectGreedily } from "./_greedy.ts";

const gramOf = (errors: readonly (readonly number[])[]) =>
  Float64Array.from(
    errors.flatMap((a) => errors.map((b) => a.reduce((sum, x, k) => sum + x * b[k]!, 0))),
  );
const errorOf = (gram: Float64Array, weights: readonly number[]) =>
  weights.reduce(
    (sum, w, i) => sum + w * weights.reduce((s, v, j) => s + v * gram[i * weights.length + j]!, 0),
    0,
  );

test("bagged selection equals one that averages and judges row by row", () => {
  const errors = golden.members.map((values) => values.map((v, k) => v - golden.labels[k]!));
  expect(selectGreedily(gramOf(errors), errors.length, golden.bags)).toBeAllClose(golden.bagged, {
    rtol: 1e-12,
  });
});

test("takes by hand: the better of two twice, as inverse variances would have it", () => {
  // Independent errors of variance 1 and 2: weights 2/3 and 1/3 are optimal and within reach.
  expect(selectGreedily(Float64Array.from([1, 0, 0, 2]), 2, [[0, 1]])).toBeAllClose([2 / 3, 1 / 3]);
});

test("starts with several: a member that only helps beside another is not passed by", () => {
  // 1 and 2 cancel each other, 0 is better than either; one at a time, 0 would be taken first.
  const gram = gramOf([[0.5], [1], [-1]]);
  expect(errorOf(gram, selectGreedily(gram, 3, [[0, 1, 2]]))).toBe(0);
});

test("members without error, equal members and a single one", () => {
  expect(selectGreedily(Float64Array.from([1, 0, 0, 0]), 2, [[0, 1]])).toEqual([0, 1]);
  expect(selectGreedily(new Float64Array(9), 3, [[0, 1, 2]])).toEqual([1, 0, 0]);
  expect(selectGreedily(Float64Array.from([3]), 1, [[0]])).toEqual([1]);
  expect(selectGreedily(Float64Array.from([2, 2, 2, 2]), 2, [[0, 1]])).toEqual([1, 0]);
});

test("one selection among all is on the simplex, as good as the best member and the plain mean", () => {
  const errors = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }))
    .chain(([rows, size]) => {
      const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: rows, maxLength: rows });
      return fc.array(row, { minLength: size, maxLength: size });
    });
  fc.assert(
    fc.property(errors, (list) => {
      const gram = gramOf(list);
      const size = list.length;
      const weights = selectGreedily(gram, size, drawBags(size, 1, 0));
      expect(weights.every((w) => w >= 0)).toBe(true);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      const error = errorOf(gram, weights);
      const slack = 1e-9 * (1 + error);
      expect(error).toBeLessThanOrEqual(
        Math.min(...list.map((_, i) => gram[i * size + i]!)) + slack,
      );
      expect(error).toBeLessThanOrEqual(
        errorOf(
          gram,
          list.map(() => 1 / size),
        ) + slack,
      );
    }),
    { numRuns: 500 },
  );
});

test("bags are random halves of at least 5, the same for a seed; few members are not halved", () => {
  const bags = drawBags(17, 30, 4);
  expect(bags).toHaveLength(30);
  for (const bag of bags) {
    expect(bag).toHaveLength(9);
    expect(bag).toEqual([...new Set(bag)].sort((a, b) => a - b));
    expect(bag.every((i) => i >= 0 && i < 17)).toBe(true);
  }
  expect(new Set(bags.flat()).size).toBe(17);
  expect(new Set(bags.map(String)).size).toBe(30);
  expect(drawBags(17, 30, 4)).toEqual(bags);
  expect(drawBags(17, 30, 5)).not.toEqual(bags);
  expect(drawBags(17, 2, 4)).toEqual(bags.slice(0, 2));
  expect(drawBags(7, 3, 4).map((bag) => bag.length)).toEqual([5, 5, 5]);
  expect(drawBags(5, 20, 4)).toEqual([[0, 1, 2, 3, 4]]);
  expect(drawBags(17, 1, 4)).toEqual([Array.from({ length: 17 }, (_, i) => i)]);
});
