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
  const weights = solveSimplex(Float64Array.from([1, 0, 0, 4]), 2);
  expect(weights).toBeAllClose([0.8, 0.2], { rtol: 1e-9, atol: 0 });
});

test("a member that can only hurt gets exactly 0", () => {
  expect(solveSimplex(Float64Array.from([1, 2, 2, 9]), 2)).toEqual([1, 0]);
});

test("equal members, members without error and a single one", () => {
  expect(solveSimplex(Float64Array.from([2, 2, 2, 2]), 2)).toBeAllClose([0.5, 0.5]);
  expect(solveSimplex(new Float64Array(9), 3)).toBeAllClose([1 / 3, 1 / 3, 1 / 3]);
  expect(solveSimplex(Float64Array.from([0, 0, 0, 1]), 2)).toEqual([1, 0]);
  expect(solveSimplex(Float64Array.from([3]), 1)).toEqual([1]);
});

test("a diverged member leaves the others' weights alone", () => {
  const gram = Float64Array.from([1, 0, 0, 0, 4, 0, 0, 0, 1e16]);
  expect(solveSimplex(gram, 3)).toBeAllClose([0.8, 0.2, 0], { rtol: 1e-9, atol: 1e-12 });
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
      const weights = solveSimplex(gram, list.length);
      expect(weights.every((w) => w >= 0)).toBe(true);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(optimalityGap(gram, weights)).toBeLessThan(1e-6);
    }),
    { numRuns: 2000 },
  );
});
