/** What a network is shown: batches that workers make while it trains, and validation galaxies, prepared once and held. */
import { columnsOf, type Dataset } from "@gz/galaxies";
import { type BackgroundLoader, backgroundLoader } from "@gz/train";
import { asTrained, inputShape } from "../images/input.ts";
import type { Mixture } from "../images/order.ts";
import { pixelSource } from "../images/pixel-source.ts";
import {
  BATCH_WORKER,
  defaultWorkers,
  holdValidationSet,
  type ValidationSet,
} from "../prediction/forward.ts";
import { labelTreeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { BatchWork } from "./batch-worker.ts";
import type { readPseudoLabels } from "./pseudo-labels.ts";

export interface InputOptions {
  recipe: Recipe;
  seed: number;
  /** The first rows train, those after them validate. */
  rows: { train: number; valid: number };
  mixture: Mixture;
  /** Test images to learn from too. */
  soft: Awaited<ReturnType<typeof readPseudoLabels>> | undefined;
  startStep: number;
  workers: number | undefined;
  signal: AbortSignal;
}

export interface TrainingInputs {
  validation: ValidationSet;
  loader: BackgroundLoader<"xs" | "ys">;
}

/** Validation during training looks at no more than this many images. */
export const EVALUATED_IMAGES = 1024;

/** Reads pixels from a data set with labels, and closes it: workers open their own. */
export async function openInputs(
  dataset: Dataset,
  { recipe, seed, rows, mixture, soft, startStep, workers, signal }: InputOptions,
): Promise<TrainingInputs> {
  const columns = columnsOf(labelTreeOf(recipe)).length;
  const pixels = await pixelSource(dataset, "train", recipe.input, signal);
  const pseudo = soft && {
    ...soft,
    pixels: await pixelSource(dataset, "test", recipe.input, signal),
  };
  const labels = dataset.labels!;
  await dataset.close();

  const count = Math.min(rows.valid, EVALUATED_IMAGES);
  const images = Uint32Array.from({ length: count }, (_, i) => rows.train + i);
  const validation = await holdValidationSet(
    { recipe, pixels, images, ...(workers && { workers }), signal },
    labels.slice(rows.train * columns, (rows.train + count) * columns),
  );

  const trained = asTrained(recipe);
  const trainLabels = shared(labels.subarray(0, rows.train * columns));
  const work: BatchWork = {
    recipe: trained,
    pixels,
    job: { kind: "train", seed, rows: rows.train, labels: trainLabels, mixture, pseudo },
  };
  const loader = backgroundLoader({
    worker: BATCH_WORKER,
    workerData: work,
    batch: { xs: inputShape(trained, recipe.batch), ys: [recipe.batch, columns] },
    workers: workers ?? defaultWorkers(),
    startStep,
  });
  return { validation, loader };
}

/** A copy on shared memory, which all workers read. */
function shared(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
