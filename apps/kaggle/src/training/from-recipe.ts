/** What a recipe says about training, as the pieces that @gz/train takes. */
import { applyConstraints, rmsNorm, setTreeMode } from "@gz/layers";
import {
  adamw,
  cosineSchedule,
  nesterov,
  type Optimizer,
  type Phase,
  type Schedule,
  type WeightAverage,
  weightAverage,
} from "@gz/train";
import type * as tf from "@tensorflow/tfjs";
import { denseLayers } from "../network/parts.ts";
import type { Recipe } from "../recipe/recipe.ts";

/** The recipe's optimiser. */
export function optimizerOf({ optimizer }: Recipe): Optimizer {
  return optimizer.kind === "nesterov"
    ? nesterov({ momentum: optimizer.momentum })
    : adamw({ weightDecay: optimizer.weightDecay });
}

/** The moving average takes the weights in at every so many steps: each time is a pass over all of them. */
export const AVERAGE_EVERY = 8;

/** The moving average that the recipe predicts with, where it has one. */
export function averageOf({ average }: Recipe, model: tf.LayersModel): WeightAverage | undefined {
  if (average === undefined) return undefined;
  return weightAverage(model, { decay: average, every: AVERAGE_EVERY });
}

/** The recipe's learning rate over the fraction of the run that is over. */
export function scheduleOf({ schedule }: Recipe): Schedule {
  if (schedule.kind === "cosine") return cosineSchedule(schedule);
  return ({ progress }) => schedule.rates.findLast(([start]) => start <= progress)![1];
}

/**
 * Clip-only first, then the tree with velocity afresh; a budget shorter than the recipe shortens the first phase.
 * @param trainedHead that a head which knows the tree already needs no clip-only phase.
 */
export function phasesOf(
  { output, steps: full }: Recipe,
  steps: number,
  { trainedHead = false }: { trainedHead?: boolean } = {},
): Phase[] {
  const normal: Phase = {
    fromStep: 0,
    name: "normal",
    enter: (model) => setTreeMode(model, "normal"),
  };
  const planned = Math.min(steps, full);
  // The winner's 625 of 1,562,500 steps is less than any short run needs; a fifth is the most it may take.
  const clipSteps = Math.min(output.clipSteps, Math.floor(planned / 5));
  if (clipSteps === 0 || trainedHead) return [normal];
  return [
    { fromStep: 0, name: "clip", enter: (model) => setTreeMode(model, "clip") },
    { ...normal, fromStep: clipSteps, resetOptimizer: true },
  ];
}

/** Limits the weights that the recipe constrains, after the steps that are due: call it after each. */
export function constraintsOf({ network }: Recipe): (model: tf.LayersModel, step: number) => void {
  if (network.kind !== "parts") return () => {};
  const { perPart, merged } = denseLayers(network);
  const limits = [...perPart, ...merged].flatMap(({ name, rmsNorm: limit }) =>
    limit ? [{ name, every: limit.every, constraint: rmsNorm({ max: limit.max }) }] : [],
  );
  return (model, step) => {
    const due = limits.filter(({ every }) => step % every === 0);
    if (due.length === 0) return;
    applyConstraints(
      model,
      Object.fromEntries(due.map(({ name, constraint }) => [name, constraint])),
    );
  };
}
