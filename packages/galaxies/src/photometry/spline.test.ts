import { expect, test } from "vitest";
import { secondDerivatives } from "./spline.ts";

// Forward elimination of 0 1 0 2 0 1 0 gives -0.5, 0.93333, -1.32143, 1.15789, -0.84615. A natural spline's way back
// would end at -0.84615 too, as the values are the same from either end; a sixth of each step does not.
test("divides by 6 again at each step back, as SExtractor's makebackspline does", () => {
  const curvature = new Float32Array(7);
  secondDerivatives(Float32Array.of(0, 1, 0, 2, 0, 1, 0), curvature, 0, 1, 7);
  const expected = [0, -0.54144, 0.99444, -1.37481, 1.19568, -0.84615, 0];
  expect(curvature).toBeAllClose(expected, { rtol: 0, atol: 1e-5 });
});

test("a straight line has no curvature, two values have none either, and others in the array stay", () => {
  const straight = new Float32Array(5).fill(9);
  secondDerivatives(Float32Array.of(1, 3, 5, 7, 9), straight, 0, 1, 5);
  expect([...straight]).toEqual([0, 0, 0, 0, 0]);
  const pair = new Float32Array(2).fill(9);
  secondDerivatives(Float32Array.of(1, 3), pair, 0, 1, 2);
  expect([...pair]).toEqual([0, 0]);

  // The middle column of three rows: m = (1 - 2 * 0 + 1) / 4
  const column = new Float32Array(9).fill(9);
  secondDerivatives(Float32Array.of(7, 1, 7, 7, 0, 7, 7, 1, 7), column, 1, 3, 3);
  expect([...column]).toEqual([9, 0, 9, 9, 0.5, 9, 9, 0, 9]);
});
