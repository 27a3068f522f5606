import type { Budget } from "../run/run.ts";

/** The most of a run's minutes that its validations take, but for the last: what one costs depends on the machine. */
export const VALIDATION_SHARE = 0.05;

/** How far a run is: by its steps, or by the time it has trained. */
export interface TrainingClock {
  /** Starts counting; what came before (decoding, building) is not training. */
  start(): void;
  /** Training time, that of earlier starts of the run included. */
  elapsedMs(): number;
  /** Fraction of the run that is over, 0 to 1. */
  progressAt(step: number): number;
}

export function trainingClock(budget: Budget, elapsedBefore: number): TrainingClock {
  let started: number | undefined;
  const elapsedMs = () => elapsedBefore + (started === undefined ? 0 : performance.now() - started);
  return {
    start() {
      started = performance.now();
    },
    elapsedMs,
    progressAt: (step) =>
      Math.min(
        1,
        "steps" in budget ? step / budget.steps : elapsedMs() / (budget.minutes * 60_000),
      ),
  };
}

/** Means since the last log line; rmse is the root of the mean squared errors that were read. */
export function windowMeans(kept: readonly [count: number, sum: number] = [0, 0]) {
  let [count, sum] = kept;
  let steps = 0;
  let stepMs = 0;
  let dataWaitMs = 0;
  return {
    /** What a checkpoint between two log lines has to keep. */
    kept: (): [number, number] => [count, sum],
    add(trained: { stepMs: number; dataWaitMs: number }, squaredError: number | undefined) {
      steps++;
      stepMs += trained.stepMs;
      dataWaitMs += trained.dataWaitMs;
      if (squaredError === undefined) return;
      count++;
      sum += squaredError;
    },
    take() {
      const means = {
        stepMs: stepMs / steps,
        dataWaitMs: dataWaitMs / steps,
        rmse: Math.sqrt(sum / count),
      };
      steps = stepMs = dataWaitMs = count = sum = 0;
      return means;
    },
  };
}
