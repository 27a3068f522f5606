import type * as tf from "@tensorflow/tfjs";
import { checkInteger, show } from "./_check.ts";
import type { Optimizer } from "./optimizer.ts";

/** A stretch of a run with rules of its own, from step `fromStep` to the next phase. */
export interface Phase {
  /** Steps done when it begins; the first phase of a run has 0. */
  fromStep: number;
  name?: string;
  /** Sets the model up for this phase. Called when the phase begins, and when a run is resumed inside it. */
  enter?(model: tf.LayersModel): void | Promise<void>;
  /** Start the optimiser afresh when the phase begins; never when a run is resumed inside it. */
  resetOptimizer?: boolean;
}

/** Throws unless the phases begin at 0 and each later than the one before. */
export function checkPhases(phases: readonly Phase[]): void {
  const starts = phases.map(({ fromStep }) => fromStep);
  for (const start of starts) checkInteger("trainLoop", "a phase's fromStep", start, 0);
  if (starts.some((start, i) => (i === 0 ? start !== 0 : start <= starts[i - 1]!)))
    throw new RangeError(
      `trainLoop: expected phases from step 0 on, in order, but got fromStep ${show(starts)}`,
    );
}

/**
 * Enters the phase of `step`: at its beginning with the optimiser reset if it asks for it, and when the run
 * (re)starts in its middle without. A checkpoint written exactly at the boundary still holds the memory of the phase
 * before, so a run resumed there resets too, as the uninterrupted run did. Returns the phase.
 */
export async function enterPhase(
  phases: readonly Phase[],
  { step, resumed }: { step: number; resumed: boolean },
  { model, optimizer }: { model: tf.LayersModel; optimizer: Optimizer },
): Promise<Phase | undefined> {
  const phase = phases.findLast(({ fromStep }) => fromStep <= step);
  const begins = phase?.fromStep === step;
  if (begins && phase.resetOptimizer) optimizer.reset();
  if (begins || resumed) await phase?.enter?.(model);
  return phase;
}
