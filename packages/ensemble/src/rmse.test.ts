import { expect, test } from "vitest";
import { rmse } from "./rmse.ts";

test("is the root of the mean squared difference", () => {
  expect(rmse([0, 0, 0, 0], [3, 4, 0, 0])).toBe(2.5);
  expect(rmse(new Float32Array([1, 2]), new Float32Array([1, 2]))).toBe(0);
});

test("refuses what has no score", () => {
  expect(() => rmse([], [])).toThrow("rmse: expected at least one number for labels but got 0");
  expect(() => rmse([1], [1, 2])).toThrow(
    "rmse: expected 2 numbers for predictions, as for labels, but got 1",
  );
  expect(() => rmse([1], undefined as never)).toThrow(
    new TypeError("rmse: expected an array of numbers for labels but got undefined"),
  );
  expect(() => rmse("12" as never, [1, 2])).toThrow(
    'rmse: expected an array of numbers for predictions but got "12"',
  );
  expect(() => rmse([1, Number.NaN], [1, 2])).toThrow(
    "rmse: expected finite numbers for predictions but got NaN at index 1",
  );
  expect(() => rmse([1, 2], [Number.POSITIVE_INFINITY, 2])).toThrow(
    "rmse: expected finite numbers for labels but got Infinity at index 0",
  );
});
