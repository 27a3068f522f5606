import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkInteger } from "./_check.ts";
import {
  folderName,
  listCheckpoints,
  removeCheckpoint,
  removeLeftovers,
  syncFolder,
  temporaryName,
} from "./_folders.ts";
import { FORMAT_VERSION, type Meta, readMeta } from "./_meta.ts";
import type { TrainingState } from "./load-checkpoint.ts";
import { namedWeights } from "./named-weights.ts";
import { NonFiniteLossError } from "./non-finite-loss-error.ts";
import { type FileDigest, NonFiniteValue, writeSafetensors } from "./safetensors.ts";

/** Options of `saveCheckpoint`. */
export interface SaveOptions extends TrainingState {
  /** Steps done. */
  step: number;
  /** Whatever a resume or a reader will want, as JSON: recipe, seeds, score. */
  meta?: unknown;
  /** How many of the newest checkpoints to keep, this one included; 3 if left out. */
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
 * Returns the folder's path. Throws a RangeError where there is a checkpoint of a later step, a NonFiniteLossError where a
 * weight is NaN or infinite, and an Error where the disk is full; either way nothing of it stays and the others do.
 */
export async function saveCheckpoint(directory: string, options: SaveOptions): Promise<string> {
  const { step, keep = 3, best = false } = options;
  checkInteger("saveCheckpoint", "step", step, 0);
  checkInteger("saveCheckpoint", "keep", keep, 1);
  const path = join(directory, folderName(step));
  const temporary = join(directory, temporaryName(step));
  const [latest] = await listCheckpoints(directory);
  if (latest && latest.step > step)
    throw new RangeError(
      `saveCheckpoint: expected at least ${latest.step}, the latest in ${directory}, for step but got ${step}; to go on from an earlier one, remove those after it`,
    );
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

/** What cannot be read (damaged, or of another version) is somebody else's to remove. */
async function removeOld(directory: string, keep: number): Promise<void> {
  const all = await listCheckpoints(directory);
  if (all.length <= keep) return;
  let bestSeen = false;
  for (const [i, checkpoint] of all.entries()) {
    const meta = await readMeta(checkpoint.path).catch(() => undefined);
    if (i >= keep && meta && (bestSeen || !meta.best)) await removeCheckpoint(checkpoint);
    bestSeen ||= meta?.best === true;
  }
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
