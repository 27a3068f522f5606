import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { checkInteger, show } from "./_check.ts";
import {
  folderName,
  listCheckpoints,
  removeCheckpoint,
  removeLeftovers,
  syncFolder,
  temporaryName,
} from "./_folders.ts";
import { assignTensors, matchTensors } from "./_match.ts";
import { howToGoOn, readNotedFile } from "./_noted-file.ts";
import { namedWeights } from "./named-weights.ts";
import { NonFiniteLossError } from "./non-finite-loss-error.ts";
import type { Optimizer } from "./optimizer.ts";
import { type FileDigest, NonFiniteValue, writeSafetensors } from "./safetensors.ts";
import type { SavedState } from "./state.ts";
import type { WeightAverage } from "./weight-average.ts";

const FORMAT_VERSION = 1;

/** What a checkpoint is made of, and what it is put back into. */
export interface TrainingState {
  model: tf.LayersModel;
  optimizer?: Optimizer;
  average?: WeightAverage;
}

/** meta.json */
interface Meta {
  formatVersion: number;
  step: number;
  best: boolean;
  optimizer?: string;
  files: Record<string, FileDigest>;
  meta: unknown;
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

export interface SaveOptions extends TrainingState {
  /** Steps done. */
  step: number;
  /** Whatever a resume or a reader will want, as JSON: recipe, seeds, score. */
  meta?: unknown;
  /** The newest checkpoints to keep, this one included. */
  keep?: number;
  /** Marks this one as the best so far; the latest so marked is never removed. */
  best?: boolean;
}

/**
 * Saves to `directory/step-00000100/`: model.safetensors, optimizer.safetensors, average.safetensors, and meta.json with
 * the others' sizes and SHA-256. Everything is written under a temporary name, flushed to the disk, then renamed: a
 * checkpoint is whole or not there, whenever the process is killed. The same state gives the same bytes. Older ones are
 * removed afterwards, all but the last `keep` and the best.
 *
 * Returns the folder's path. Throws a NonFiniteLossError where a weight is NaN or infinite, and an Error where the disk
 * is full; either way nothing of it stays and the earlier checkpoints do.
 */
export async function saveCheckpoint(directory: string, options: SaveOptions): Promise<string> {
  const { step, keep = 3, best = false } = options;
  checkInteger("saveCheckpoint", "step", step, 0);
  checkInteger("saveCheckpoint", "keep", keep, 1);
  const path = join(directory, folderName(step));
  const temporary = join(directory, temporaryName(step));
  try {
    await mkdir(directory, { recursive: true });
    await removeLeftovers(directory);
    await mkdir(temporary);
    await writeFiles(temporary, options, best);
    await syncFolder(temporary);
    await putInPlace(temporary, path);
    await syncFolder(directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw explain(error, path, step);
  }
  await removeOld(directory, keep);
  return path;
}

async function writeFiles(folder: string, options: SaveOptions, best: boolean): Promise<void> {
  const { step, model, optimizer, average, meta = null } = options;
  const states = {
    "model.safetensors": Object.fromEntries(namedWeights(model)),
    ...(optimizer && { "optimizer.safetensors": optimizer.state() }),
    ...(average && { "average.safetensors": average.state() }),
  };
  const files: Record<string, FileDigest> = {};
  for (const [name, state] of Object.entries(states))
    files[name] = await writeSafetensors(join(folder, name), state);
  const content: Meta = {
    formatVersion: FORMAT_VERSION,
    step,
    best,
    ...(optimizer && { optimizer: optimizer.name }),
    files,
    meta,
  };
  const file = await open(join(folder, "meta.json"), "wx");
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename cannot replace a folder that has files, so one of the same step (a run ended twice) is set aside first. */
async function putInPlace(temporary: string, path: string): Promise<void> {
  const old = `${path}.old`;
  if (await stat(path).catch(() => undefined)) await rename(path, old);
  await rename(temporary, path);
  await rm(old, { recursive: true, force: true });
}

async function removeOld(directory: string, keep: number): Promise<void> {
  const old = (await listCheckpoints(directory)).slice(keep);
  if (old.length === 0) return;
  const best = await bestCheckpoint(directory);
  for (const checkpoint of old) if (checkpoint.path !== best) await removeCheckpoint(checkpoint);
}

function explain(error: unknown, path: string, step: number): unknown {
  if (error instanceof NonFiniteValue)
    return new NonFiniteLossError(
      `saveCheckpoint: expected finite values but ${error.tensor} holds NaN or Infinity after step ${step}`,
      step,
    );
  if (["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? ""))
    return new Error(
      `saveCheckpoint: expected room for ${path} but the disk is full; nothing of it was kept, earlier checkpoints are untouched`,
      { cause: error },
    );
  return error;
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

async function readMeta(path: string): Promise<Meta> {
  const file = join(path, "meta.json");
  const text = await readFile(file, "utf8").catch((error) => {
    throw new Error(`loadCheckpoint: expected a checkpoint in ${path} but ${file} cannot be read`, {
      cause: error,
    });
  });
  let meta: Meta;
  try {
    meta = JSON.parse(text);
  } catch (error) {
    throw new Error(
      `loadCheckpoint: expected JSON in ${file} but it is cut short or damaged${howToGoOn(path)}`,
      {
        cause: error,
      },
    );
  }
  if (meta.formatVersion !== FORMAT_VERSION)
    throw new Error(
      `loadCheckpoint: expected format version ${FORMAT_VERSION} in ${file} but got ${show(meta.formatVersion)}: it was written by another version of @gz/train`,
    );
  return meta;
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
  if (optimizer) optimizer.restore(checkpoint.optimizer!.state);
  if (average) average.restore(checkpoint.average!);
  assignTensors(pairs);
}
