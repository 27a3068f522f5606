/**
 * A member's predictions: every image of a split under every transform, averaged, one row a galaxy. They are written
 * shard by shard (shards.ts), so that the same command goes on after an interruption.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Draw } from "@gz/augment";
import { createMean } from "@gz/ensemble";
import { type Dataset, openDataset, writePredictions } from "@gz/galaxies";
import { loadCheckpoint, restoreCheckpoint, weightAverage } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { createProgress, say } from "../cli/progress.ts";
import { pixelSource } from "../images/pixel-source.ts";
import type { PixelSource } from "../images/pixels.ts";
import { splitRows } from "../images/split.ts";
import { chooseBackend } from "../machine/backend.ts";
import { buildNetwork } from "../network/network.ts";
import { type CheckpointName, checkpointOf } from "../network/trained-weights.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { columnsOfRecipe } from "../recipe/question-tree.ts";
import { lockRun } from "../run/lock.ts";
import { openRun, type Run } from "../run/run.ts";
import { distinctTransforms } from "./distinct-transforms.ts";
import { forward } from "./forward.ts";
import { joinSplits } from "./join.ts";
import { isShardDone, type Shard, shardsOf, shardsOfPart, stepOf } from "./shards.ts";
import { isIdentity } from "./transforms.ts";

export const SPLITS = ["valid", "test", "all"] as const;

export interface PredictOptions {
  /** The run's folder. */
  run: string;
  data: string;
  split: (typeof SPLITS)[number];
  /** Of the run's; left out, the latest. */
  checkpoint?: CheckpointName;
  transforms: readonly Draw[];
  /** Left out: predictions/SPLIT.csv of the run, one file for each split. */
  out?: string | undefined;
  backend: string;
  /** CPU threads of the backend; default: as many as the machine has. */
  threads?: number | undefined;
  workers: number | undefined;
  /** Galaxies that are saved together. */
  shardSize?: number;
  /** One part of the shards, from 1; the shards of all parts are joined by a call without. */
  part?: { index: number; of: number } | undefined;
  signal: AbortSignal;
}

/** Galaxies in a shard: at 60 transforms some minutes of a CPU, seconds of a GPU. */
export const SHARD_SIZE = 1000;

/**
 * Predicts and writes; returns the files. `SPLIT.single.csv` beside each is the untransformed view's prediction. Parts
 * can be made side by side; who joins them has the run's predictions/ for itself.
 */
export async function predictRun(options: PredictOptions): Promise<string[]> {
  const run = openRun(options.run);
  const checkpoint = await checkpointOf("predict", run, options.checkpoint);
  const unlock = options.part ? undefined : await lockRun(run.predictions);
  try {
    return await predictWith(checkpoint, run, options);
  } finally {
    await unlock?.();
  }
}

async function predictWith(
  checkpoint: string,
  run: Run,
  options: PredictOptions,
): Promise<string[]> {
  const { transforms, data, split, part, signal, shardSize = SHARD_SIZE } = options;
  const dataset = await openDataset(data, dataOptions(run.recipe));
  try {
    const counts = {
      valid: splitRows(dataset.trainIds.length).valid,
      test: dataset.testIds.length,
    };
    for (const name of ["valid", "test"] as const) {
      if (split !== "all" && split !== name) counts[name] = 0;
      else if (counts[name] === 0)
        throw new CliError(`predict: expected ${name} images in ${data} but found none`);
    }
    const all = shardsOf({
      predictions: run.predictions,
      data,
      step: stepOf(checkpoint),
      transforms,
      size: shardSize,
      counts,
    });
    const mine = part ? shardsOfPart(all, part) : all;
    if (part && mine.length === 0)
      say(
        `part ${part.index} of ${part.of} is empty: shards of ${shardSize} galaxies: ${all.length}`,
      );
    const missing = mine.filter((shard) => !isShardDone(shard));
    if (missing.length > 0) await predictShards(run, checkpoint, dataset, missing, options);
    if (signal.aborted) {
      const left = mine.filter((shard) => !isShardDone(shard)).length;
      const saved = `${mine.length - left} of ${mine.length} shards are saved`;
      throw new CliError(`predict: stopped; ${saved}, the same command goes on`, 130);
    }
    if (part) return mine.map(({ file }) => file);
    return await joinSplits(run, dataset, all, options);
  } finally {
    await dataset.close();
  }
}

async function predictShards(
  run: Run,
  checkpoint: string,
  dataset: Dataset,
  shards: readonly Shard[],
  { transforms, threads, workers, signal, backend: name }: PredictOptions,
): Promise<void> {
  const backend = await chooseBackend(name, threads);
  const model = await loadModel(run, checkpoint);
  const { distinct, of } = distinctTransforms(run.recipe, transforms);
  const few = distinct.length < transforms.length ? `, ${distinct.length} of them distinct,` : "";
  say(`${run.name}: ${transforms.length} transforms${few} on ${backend.line}`);
  const columns = columnsOfRecipe(run.recipe);
  const width = columns.length;
  const { train } = splitRows(dataset.trainIds.length);
  const progress = createProgress(
    run.name,
    shards.reduce((sum, { count }) => sum + count, 0),
  );
  const identity = transforms.findIndex(isIdentity);
  // Once a split: it looks at every image file to know whether its caches still hold.
  const pixels = new Map<Shard["split"], PixelSource>();
  let done = 0;
  try {
    for (const { split, first, count, file, single } of shards) {
      const from = split === "valid" ? "train" : "test";
      if (!pixels.has(split))
        pixels.set(split, await pixelSource(dataset, from, run.recipe.input, signal));
      const row = split === "valid" ? train + first : first;
      const ids = (split === "valid" ? dataset.trainIds : dataset.testIds).slice(row, row + count);
      const means = new Float32Array(count * width);
      const singles = new Float32Array(count * width);
      const outputs = forward({
        model,
        recipe: run.recipe,
        pixels: pixels.get(split)!,
        images: Uint32Array.from({ length: count }, (_, k) => row + k),
        transforms: distinct,
        ...(workers && { workers }),
        signal,
      });
      let finished = 0;
      for await (const { index, outputs: all } of outputs) {
        const mean = createMean(width);
        const under = (t: number) => all.subarray(t * width, (t + 1) * width);
        for (const t of of) mean.add(under(t));
        means.set(mean.value(), index * width);
        if (identity >= 0) singles.set(under(of[identity]!), index * width);
        finished = index + 1;
        progress.update(done + finished, split);
      }
      if (finished < count) return; // interrupted
      done += count;
      mkdirSync(dirname(file), { recursive: true });
      if (identity >= 0 && transforms.length > 1)
        await writePredictions(single, ids, singles, { columns });
      await writePredictions(file, ids, means, { columns });
    }
  } finally {
    progress.stop();
    tf.dispose(model.weights.map((weight) => weight.read()));
  }
}

/** The checkpoint's model, with the moving average of the weights where the recipe keeps one. */
export async function loadModel(run: Run, path: string): Promise<tf.LayersModel> {
  const { model } = buildNetwork(run.recipe, run.info.seed);
  const checkpoint = await loadCheckpoint(path);
  const average = checkpoint.average && weightAverage(model);
  restoreCheckpoint(checkpoint, { model, ...(average && { average }) });
  average?.swap();
  average?.dispose();
  return model;
}
