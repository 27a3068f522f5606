import fc from "fast-check";
import { expect, test } from "vitest";
import { symmetricEigen } from "./_eigen.ts";

test("a 2 x 2 matrix by hand", () => {
  const [first, second] = symmetricEigen([
    [2, 1],
    [1, 2],
  ]);
  expect(first!.value).toBeCloseTo(3, 14);
  expect(first!.vector).toBeAllClose([Math.SQRT1_2, Math.SQRT1_2], { atol: 1e-15, rtol: 0 });
  expect(second!.value).toBeCloseTo(1, 14);
  expect(Math.abs(second!.vector[0]! + second!.vector[1]!)).toBeLessThan(1e-15);
});

test("eigenpairs satisfy A v = lambda v, are orthonormal and in falling order", () => {
  const entry = fc.double({ min: -5, max: 5, noNaN: true });
  const symmetric = fc
    .integer({ min: 1, max: 6 })
    .chain((n) =>
      fc.array(fc.array(entry, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
    )
    .map((m) => m.map((row, i) => row.map((x, j) => (i < j ? m[j]![i]! : x))));
  fc.assert(
    fc.property(symmetric, (matrix) => {
      const pairs = symmetricEigen(matrix);
      for (const [k, { value, vector }] of pairs.entries()) {
        const product = matrix.map((row) => dot(row, vector));
        expect(product).toBeAllClose(
          vector.map((x) => value * x),
          { atol: 1e-12, rtol: 0 },
        );
        const overlaps = pairs.map((other) => dot(other.vector, vector));
        expect(overlaps).toBeAllClose(
          pairs.map((_, j) => Number(j === k)),
          { atol: 1e-12, rtol: 0 },
        );
        expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)));
        if (k > 0) expect(value).toBeLessThanOrEqual(pairs[k - 1]!.value);
      }
    }),
  );
});

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
