import fc from "fast-check";
import { expect, test } from "vitest";
import { solveSimplex } from "./_simplex.ts";

/** Gram matrix of error vectors. */
function gramOf(errors: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(
    errors.flatMap((a) => errors.map((b) => a.reduce((sum, x, k) => sum + x * b[k]!, 0))),
  );
}

/** How far w is from optimal: w'Ew - min_i (Ew)_i, 0 at the optimum, of the best member's error. */
function optimalityGap(gram: Float64Array, weights: readonly number[]): number {
  const size = weights.length;
  const gradient = weights.map((_, i) =>
    weights.reduce((sum, w, j) => sum + w * gram[i * size + j]!, 0),
  );
  const value = weights.reduce((sum, w, i) => sum + w * gradient[i]!, 0);
  const best = Math.min(...weights.map((_, i) => gram[i * size + i]!));
  return (value - Math.min(...gradient)) / (best || 1);
}

test("two members with independent errors share by inverse variance", () => {
  const weights = solveSimplex("test", Float64Array.from([1, 0, 0, 4]), 2);
  expect(weights).toBeAllClose([0.8, 0.2], { rtol: 1e-9, atol: 0 });
});

test("a member that can only hurt gets exactly 0", () => {
  expect(solveSimplex("test", Float64Array.from([1, 2, 2, 9]), 2)).toEqual([1, 0]);
});

test("equal members, members without error and a single one", () => {
  expect(solveSimplex("test", Float64Array.from([2, 2, 2, 2]), 2)).toBeAllClose([0.5, 0.5]);
  expect(solveSimplex("test", new Float64Array(9), 3)).toBeAllClose([1 / 3, 1 / 3, 1 / 3]);
  expect(solveSimplex("test", Float64Array.from([0, 0, 0, 1]), 2)).toEqual([1, 0]);
  expect(solveSimplex("test", Float64Array.from([3]), 1)).toEqual([1]);
});

test("a diverged member leaves the others' weights alone", () => {
  for (const diverged of [1e16, 1e40, 1e76]) {
    const gram = Float64Array.from([1, 0, 0, 0, 4, 0, 0, 0, diverged]);
    expect(solveSimplex("test", gram, 3)).toBeAllClose([0.8, 0.2, 0], { rtol: 1e-9, atol: 1e-12 });
  }
  // Nor does one without any error need the others' scale.
  const perfect = Float64Array.from([1, 0, 0, 0, 0, 0, 0, 0, 1e40]);
  expect(solveSimplex("test", perfect, 3)).toEqual([0, 1, 0]);
});

test("meets the optimality conditions on any data: independent, repeated, fewer rows than members", () => {
  const number = fc.integer({ min: -20, max: 20 });
  const errors = fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 }))
    .chain(([rows, size]) =>
      fc.array(fc.array(number, { minLength: rows, maxLength: rows }), {
        minLength: size,
        maxLength: size,
      }),
    );
  fc.assert(
    fc.property(errors, (list) => {
      const gram = gramOf(list);
      const weights = solveSimplex("test", gram, list.length);
      expect(weights.every((w) => w >= 0)).toBe(true);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(optimalityGap(gram, weights)).toBeLessThan(1e-6);
    }),
    { numRuns: 2000 },
  );
});

test("a solver that fails says for whom", () => {
  // No Gram matrix: not positive definite.
  expect(() => solveSimplex("chooseBlend", Float64Array.from([1, 3, 3, 1]), 2)).toThrow(
    /^chooseBlend: the solver failed, /,
  );
});
