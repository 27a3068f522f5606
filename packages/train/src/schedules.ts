import { checkFraction, checkNotNegative, show } from "./_check.ts";

/** Where a run is: `step` steps are done, which is the fraction `progress` (0..1) of the whole run. */
export interface Progress {
  step: number;
  progress: number;
}

/** The learning rate of the step that comes next. */
export type Schedule = (at: Progress) => number;

/**
 * A learning rate that jumps: `stepSchedule({ 0: 0.04, 1_125_000: 0.004 })` is 0.04 for the first 1,125,000 steps and
 * 0.004 from there on. Needs an entry for step 0.
 */
export function stepSchedule(rates: Record<number, number>): Schedule {
  const jumps = Object.entries(rates)
    .map(([from, rate]) => ({ from: Number(from), rate }))
    .sort((a, b) => b.from - a.from);
  for (const { from, rate } of jumps) {
    if (!(Number.isInteger(from) && from >= 0))
      throw new RangeError(`stepSchedule: expected whole steps from 0 on but got ${from}`);
    checkNotNegative("stepSchedule", `the rate from step ${from}`, rate);
  }
  if (jumps.at(-1)?.from !== 0)
    throw new RangeError(
      `stepSchedule: expected a rate for step 0 but got steps ${show(Object.keys(rates))}`,
    );
  return ({ step }) => jumps.find(({ from }) => from <= step)!.rate;
}

/**
 * A learning rate that rises in a straight line to `peak` over the first `warmup` (a fraction of the run, 0..1), then
 * falls along half a cosine to `floor` (Loshchilov and Hutter, arXiv 1608.03983).
 */
export function cosineSchedule(options: {
  peak: number;
  warmup?: number;
  floor?: number;
}): Schedule {
  const { peak, warmup = 0, floor = 0 } = options;
  checkNotNegative("cosineSchedule", "peak", peak);
  checkNotNegative("cosineSchedule", "floor", floor);
  checkFraction("cosineSchedule", "warmup", warmup);
  if (floor > peak)
    throw new RangeError(
      `cosineSchedule: expected at most peak, ${peak}, for floor but got ${floor}`,
    );
  return ({ progress }) => {
    if (progress < warmup) return peak * (progress / warmup);
    const fall = (progress - warmup) / (1 - warmup);
    return floor + (peak - floor) * 0.5 * (1 + Math.cos(Math.PI * fall));
  };
}
