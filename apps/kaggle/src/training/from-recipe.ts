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

/** The most of a run that the clip-only phase takes: the winner's 625 of 1,562,500 steps is less than a short run needs. */
const CLIP_SHARE = 1 / 5;

/**
 * Clip-only first, then the tree with velocity afresh; a budget shorter than the recipe shortens the first phase, one in
 * minutes by the clock (`endClip`).
 * @param trainedHead that a head which knows the tree already needs no clip-only phase.
 * @param clipSteps where a checkpoint of the run says that the first phase ends: a later budget does not move it.
 */
export function phasesOf(
  { output, steps: full }: Recipe,
  steps: number,
  {
    trainedHead = false,
    clipSteps,
  }: { trainedHead?: boolean; clipSteps?: number | undefined } = {},
): Phase[] {
  const normal: Phase = {
    fromStep: 0,
    name: "normal",
    enter: (model) => setTreeMode(model, "normal"),
  };
  const planned = Math.min(output.clipSteps, Math.floor(CLIP_SHARE * Math.min(steps, full)));
  const fromStep = clipSteps ?? (trainedHead ? 0 : planned);
  if (fromStep === 0) return [normal];
  return [
    { fromStep: 0, name: "clip", enter: (model) => setTreeMode(model, "clip") },
    { ...normal, fromStep, resetOptimizer: true },
  ];
}

/** Ends the clip-only phase with this step where its share of the run is over: to be called after each. */
export function endClip(phases: readonly Phase[], step: number, progress: number): void {
  const normal = phases.at(-1)!;
  if (step < normal.fromStep && progress >= CLIP_SHARE) normal.fromStep = step;
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
