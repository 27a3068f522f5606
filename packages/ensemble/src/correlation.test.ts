import fc from "fast-check";
import { expect, test } from "vitest";
import golden from "../test/fixtures/greedy_golden.json" with { type: "json" };
import { errorCorrelation } from "./correlation.ts";

const named = (lists: readonly (readonly number[])[]) =>
  lists.map((values, i) => ({ name: `m${i}`, values }));

test("equals numpy.corrcoef of the errors", () => {
  const found = errorCorrelation(named(golden.members), golden.labels);
  expect(found.flat()).toBeAllClose(golden.correlation.flat(), { rtol: 0, atol: 1e-12 });
});

test("by hand: alike, opposite, unrelated, and an offset that does not matter", () => {
  const labels = [1, 1, 1, 1];
  const found = errorCorrelation(
    named([
      [2, 0, 2, 0],
      [13, 9, 13, 9],
      [0, 2, 0, 2],
      [2, 2, 0, 0],
    ]),
    labels,
  );
  expect(found.flat()).toBeAllClose([1, 1, -1, 0, 1, 1, -1, 0, -1, -1, 1, 0, 0, 0, 0, 1], {
    rtol: 0,
    atol: 1e-12,
  });
});

test("a member that errs everywhere by the same is 0 to others and 1 to itself", () => {
  expect(
    errorCorrelation(
      named([
        [2, 3],
        [1, 3],
      ]),
      [1, 2],
    ),
  ).toEqual([
    [1, 0],
    [0, 1],
  ]);
});

test("errors that are the same but for rounding are constant, of however many numbers the mean is", () => {
  for (const length of [3, 1000, 1_000_000]) {
    const members = named([0.1, 0.3].map((value) => new Array<number>(length).fill(value)));
    expect(errorCorrelation(members, new Float64Array(length))).toEqual([
      [1, 0],
      [0, 1],
    ]);
  }
  // Small errors that do differ still count.
  expect(
    errorCorrelation(
      named([
        [1 + 1e-9, 1 - 1e-9],
        [1 - 1e-9, 1 + 1e-9],
      ]),
      [1, 1],
    )[0]![1],
  ).toBeCloseTo(-1, 12);
});

test("is symmetric, within -1 and 1, and follows the members' order", () => {
  const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 6 }), (lists) => {
      const found = errorCorrelation(named(lists), [3, 1, -4, 1, 5]);
      for (const [i, line] of found.entries())
        for (const [j, value] of line.entries()) {
          expect(Math.abs(value)).toBeLessThanOrEqual(1);
          expect(value).toBe(found[j]![i]);
        }
      const turned = errorCorrelation(named(lists.toReversed()), [3, 1, -4, 1, 5]);
      expect(turned.toReversed().flatMap((line) => line.toReversed())).toBeAllClose(found.flat(), {
        rtol: 0,
        atol: 1e-12,
      });
    }),
  );
});

test("refuses what does not fit", () => {
  expect(() => errorCorrelation(named([[1]]), [])).toThrow(
    "errorCorrelation: expected at least one number for labels but got 0",
  );
  expect(() => errorCorrelation([], [1])).toThrow("errorCorrelation: expected at least one member");
  expect(() => errorCorrelation(named([[1]]), undefined as never)).toThrow(
    "errorCorrelation: expected an array of numbers for labels but got undefined",
  );
  expect(() => errorCorrelation(named([[1e200, 0]]), [0, 0])).toThrow(
    'errorCorrelation: expected errors whose squares have a finite sum for member "m0" but got Infinity',
  );
  expect(() => errorCorrelation(named([[1]]), [1, 2])).toThrow(
    'errorCorrelation: expected 2 values for member "m0" but got 1',
  );
  expect(() => errorCorrelation(named([[1]]), [Number.NaN])).toThrow(
    "errorCorrelation: expected finite numbers for labels but got NaN at index 0",
  );
});
