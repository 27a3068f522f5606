/** What a recipe costs on this machine: a real training and a real prediction, some seconds each, and then thrown away. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WINNER_TRANSFORMS } from "@gz/ensemble";
import { openDataset } from "@gz/galaxies";
import { trainLoop } from "@gz/train";
import { pixelSource } from "../images/pixel-source.ts";
import { distinctTransforms } from "../prediction/distinct-transforms.ts";
import { forward } from "../prediction/forward.ts";
import { computedTransforms } from "../prediction/shared-parts.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { treeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { phasesOf } from "../training/from-recipe.ts";
import { trainingLoss } from "../training/loss.ts";
import { setUpTraining } from "../training/setup.ts";

/** What a recipe costs on this machine, as one process of as many as ran side by side. */
export interface Speed {
  /** Milliseconds of a training step, its data included. */
  stepMs: number;
  /** Milliseconds of one galaxy under one transform that has nothing in common with others. */
  predictMs: number;
  /** Seconds from the start of a process to its first step. */
  startSeconds: number;
  /** Of one checkpoint. */
  checkpointBytes: number;
  /** Resident memory of one process. */
  memoryBytes: number;
}

export interface MeasureOptions {
  recipe: Recipe;
  data: string;
  backend: string;
  threads: number | undefined;
  workers: number | undefined;
  /** Seconds for steps, and again for predictions; a few of each are made whatever they take. */
  seconds: number;
  signal: AbortSignal;
}

export interface Measured extends Speed {
  recipe: string;
  /** The backend in words; its name is the first. */
  backend: string;
  gpu: boolean;
  parameters: number;
}

const WARM_UP = 2;
const LEAST = 3;

export async function measureRecipe(options: MeasureOptions): Promise<Measured> {
  const { recipe, seconds, signal } = options;
  const out = mkdtempSync(join(tmpdir(), "gz-measure-"));
  try {
    const setup = await setUpTraining({
      ...options,
      out,
      budget: { steps: recipe.steps },
      resume: false,
      seed: 1,
      checkpointSteps: undefined,
    });
    const { model, optimizer, run, gpu } = setup;
    try {
      const loss = trainingLoss(recipe.output, treeOf(recipe));
      const training = trainLoop(model, setup.loader, {
        optimizer,
        schedule: setup.schedule,
        lossFn: loss.lossFn,
        phases: phasesOf(recipe, recipe.steps),
        steps: Number.MAX_SAFE_INTEGER,
        readLossEvery: gpu ? 10 : 1,
        compile: true, // as train does
      });
      let startSeconds = 0;
      const steps = stopwatch(seconds, gpu ? 10 * LEAST : LEAST);
      for await (const _ of training) {
        startSeconds ||= process.uptime();
        if (steps.lap() || signal.aborted) break;
      }
      loss.dispose();
      signal.throwIfAborted(); // half a measurement is none
      const predictMs = await predictionMs(options, model);
      signal.throwIfAborted();
      const weights = model.countParams();
      const copies = 1 + (recipe.optimizer.kind === "adamw" ? 2 : 1) + (setup.average ? 1 : 0);
      return {
        recipe: recipe.name,
        backend: run.info.backend,
        gpu,
        parameters: weights,
        stepMs: steps.milliseconds(),
        predictMs,
        startSeconds,
        checkpointBytes: 4 * weights * copies,
        memoryBytes: process.memoryUsage.rss(),
      };
    } finally {
      await setup.close();
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** One galaxy after another under the 60 transforms, from decoded pixels to outputs. */
async function predictionMs(
  { recipe, data, workers, seconds, signal }: MeasureOptions,
  model: Parameters<typeof forward>[0]["model"],
): Promise<number> {
  const dataset = await openDataset(data, dataOptions(recipe));
  try {
    const watch = stopwatch(seconds, 1, 1); // a pass may take many images
    const outputs = forward({
      model,
      recipe,
      pixels: await pixelSource(dataset, "train", recipe.input, signal),
      images: Uint32Array.from({ length: Math.min(256, dataset.trainIds.length) }, (_, i) => i),
      transforms: distinctTransforms(recipe, WINNER_TRANSFORMS).distinct,
      ...(workers && { workers }),
      signal,
    });
    let images = 0;
    for await (const { left } of outputs) {
      images++;
      if (signal.aborted) break;
      if (left > 0) continue;
      if (watch.lap(images)) break;
      images = 0;
    }
    return watch.milliseconds() / computedTransforms(recipe, WINNER_TRANSFORMS);
  } finally {
    await dataset.close();
  }
}

/** Mean time of what laps are made of, the first laps left out; `lap` is true when there has been time and laps enough. */
function stopwatch(
  seconds: number,
  least: number,
  warmUp = WARM_UP,
): { lap(count?: number): boolean; milliseconds(): number } {
  let laps = -warmUp;
  let counted = 0;
  let started = 0;
  let last = 0;
  return {
    lap(count = 1) {
      last = performance.now();
      if (++laps === 0) started = last;
      else if (laps > 0) counted += count;
      return laps >= least && last - started >= 1000 * seconds;
    },
    milliseconds: () => (last - started) / Math.max(1, counted),
  };
}
