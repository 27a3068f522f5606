import fc from "fast-check";
import { expect, test } from "vitest";
import { cosineSchedule, stepSchedule } from "./schedules.ts";

const at = (step: number) => ({ step, progress: 0 });

test("a step schedule jumps exactly at its steps", () => {
  const schedule = stepSchedule({ 0: 0.04, 1125000: 0.004, 1437500: 0.0004 });
  expect(
    [0, 1_124_999, 1_125_000, 1_437_499, 1_437_500, 1_562_499].map((step) => schedule(at(step))),
  ).toEqual([0.04, 0.04, 0.004, 0.004, 0.0004, 0.0004]);
});

test("a cosine schedule by hand: warm-up to the peak, half-way down in the middle, the floor at the end", () => {
  const schedule = cosineSchedule({ peak: 2, warmup: 0.2, floor: 1 });
  const rates = [0, 0.1, 0.2, 0.6, 1].map((progress) => schedule({ step: 0, progress }));
  expect(rates).toBeAllClose([0, 1, 2, 1.5, 1]);
});

test("a cosine schedule rises, then falls, between 0 and the peak", () => {
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fraction,
      fraction,
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (p, q, warmup) => {
        const schedule = cosineSchedule({ peak: 0.3, warmup });
        const [low, high] = [Math.min(p, q), Math.max(p, q)].map((progress) =>
          schedule({ step: 0, progress }),
        );
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(0.3);
        if (Math.min(p, q) >= warmup) expect(high!).toBeLessThanOrEqual(low! + 1e-12);
        if (Math.max(p, q) <= warmup) expect(low!).toBeLessThanOrEqual(high! + 1e-12);
      },
    ),
  );
});

test("says what is wrong with its arguments", () => {
  expect(() => stepSchedule({ 10: 0.1 })).toThrow(
    "stepSchedule: expected a rate for step 0 but got steps [10]",
  );
  expect(() => stepSchedule({ 0: 0.1, 1.5: 0.1 })).toThrow(
    "stepSchedule: expected whole steps from 0 on but got 1.5",
  );
  expect(() => stepSchedule({ 0: 0.1, "-5": 0.1 })).toThrow(
    "stepSchedule: expected whole steps from 0 on but got -5",
  );
  expect(() => cosineSchedule({ peak: 0.1, floor: 1 })).toThrow(
    "cosineSchedule: expected at most peak, 0.1, for floor but got 1",
  );
  expect(() => stepSchedule({ 0: -1 })).toThrow(
    "stepSchedule: expected a finite number of at least 0 for the rate from step 0 but got -1",
  );
  expect(() => cosineSchedule({ peak: NaN })).toThrow(
    "cosineSchedule: expected a finite number of at least 0 for peak but got NaN",
  );
  expect(() => cosineSchedule({ peak: 1, warmup: 1 })).toThrow(
    "cosineSchedule: expected a number in [0, 1) for warmup but got 1",
  );
  expect(() => cosineSchedule({ peak: 1, floor: -1 })).toThrow(
    "cosineSchedule: expected a finite number of at least 0 for floor but got -1",
  );
});
