import { expect } from "vitest";

interface Tolerance {
  /** Allowed difference as a fraction of the expected value. */
  rtol?: number;
  /** Allowed difference in the values' own unit. */
  atol?: number;
}

declare module "vitest" {
  interface Assertion<T> {
    /** Every element within atol + rtol * |expected| of the expected one; NaN never matches. */
    toBeAllClose(expected: ArrayLike<number>, tolerance?: Tolerance): T;
  }
}

expect.extend({
  toBeAllClose(
    received: ArrayLike<number>,
    expected: ArrayLike<number>,
    tolerance: Tolerance = {},
  ) {
    const { rtol = 1e-6, atol = 1e-6 } = tolerance;
    if (received.length !== expected.length)
      return {
        pass: false,
        message: () => `expected ${expected.length} values but got ${received.length}`,
      };
    let worst = -1;
    let worstExcess = 0;
    for (let i = 0; i < expected.length; i++) {
      const allowed = atol + rtol * Math.abs(expected[i]!);
      const excess = Math.abs(received[i]! - expected[i]!) - allowed;
      if (!(excess <= worstExcess)) {
        worst = i;
        worstExcess = excess;
      }
    }
    return {
      pass: worst === -1,
      message: () =>
        `at [${worst}] expected ${expected[worst]} but got ${received[worst]} (rtol ${rtol}, atol ${atol})`,
    };
  },
});
