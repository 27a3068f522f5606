import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { listCheckpoints } from "./_folders.ts";
import { assignTensors, matchTensors } from "./_match.ts";
import { readMeta } from "./_meta.ts";
import { readNotedFile } from "./_noted-file.ts";
import { namedWeights } from "./named-weights.ts";
import type { Optimizer } from "./optimizer.ts";
import type { SavedState } from "./state.ts";
import type { WeightAverage } from "./weight-average.ts";

/** What a checkpoint is made of, and what it is put back into. */
export interface TrainingState {
  model: tf.LayersModel;
  optimizer?: Optimizer;
  average?: WeightAverage;
}

/** A checkpoint read from the disk. */
export interface Checkpoint {
  path: string;
  /** Steps done when it was saved. */
  step: number;
  /** Whether it was the best so far when it was saved. */
  best: boolean;
  /** What the caller gave to saveCheckpoint. */
  meta: unknown;
  /** The model's weights by name. */
  weights: SavedState;
  optimizer?: { name: string; state: SavedState };
  average?: SavedState;
}

/** Path of the checkpoint with the most steps in `directory`; undefined where there is none. */
export async function latestCheckpoint(directory: string): Promise<string | undefined> {
  return (await listCheckpoints(directory))[0]?.path;
}

/** Path of the latest checkpoint that was saved as the best; undefined where there is none. */
export async function bestCheckpoint(directory: string): Promise<string | undefined> {
  for (const { path } of await listCheckpoints(directory))
    if ((await readMeta(path)).best) return path;
  return undefined;
}

/**
 * Reads one checkpoint (a path as latestCheckpoint gives it) and checks it against its own hashes.
 *
 * Throws an Error that names the file where one is missing, cut short, damaged, or of another format version.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { step, best, optimizer, files, meta } = await readMeta(path);
  const read = async (name: string): Promise<SavedState | undefined> =>
    files[name] && (await readNotedFile(join(path, name), files[name]));
  const weights = await read("model.safetensors");
  const state = await read("optimizer.safetensors");
  const average = await read("average.safetensors");
  return {
    path,
    step,
    best,
    meta,
    weights: weights!,
    ...(optimizer && state && { optimizer: { name: optimizer, state } }),
    ...(average && { average }),
  };
}

/**
 * Puts a checkpoint back into a model and, where given, its optimiser and moving average, bit for bit.
 *
 * Throws an Error, before anything has changed, where the checkpoint lacks a part or does not fit the model.
 */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  { model, optimizer, average }: TrainingState,
): void {
  const { path, weights } = checkpoint;
  const pairs = matchTensors(`restoreCheckpoint: ${path}`, namedWeights(model), weights);
  if (optimizer && checkpoint.optimizer?.name !== optimizer.name)
    throw new Error(
      `restoreCheckpoint: expected the state of ${optimizer.name} in ${path} but got ${checkpoint.optimizer?.name ?? "none"}`,
    );
  if (average && !checkpoint.average)
    throw new Error(
      `restoreCheckpoint: expected a moving average in ${path} but it was saved without`,
    );
  // Each of these two changes nothing where it throws; only the average can know that it is swapped in.
  if (average) average.restore(checkpoint.average!);
  if (optimizer) optimizer.restore(checkpoint.optimizer!.state);
  assignTensors(pairs);
}
