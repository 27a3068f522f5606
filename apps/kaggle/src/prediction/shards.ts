/**
 * Predictions in pieces. A split's galaxies are predicted shard by shard, each a file of its own that appears when it is
 * whole, so that a killed prediction goes on where it was and machines can share the work. All shards together become
 * predictions/SPLIT.csv; a shard depends on its galaxies alone, so the file is the same whoever made its parts.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Draw } from "@gz/augment";
import { type Predictions, readPredictions, writePredictions } from "@gz/galaxies";

/** A run of consecutive galaxies of one split. */
export interface Shard {
  split: "valid" | "test";
  /** Position of its first galaxy in the split. */
  first: number;
  count: number;
  /** Means over the transforms; there once the shard is done. */
  file: string;
  /** The untransformed galaxy's predictions, written before `file`. */
  single: string;
}

export interface ShardOptions {
  /** The run's predictions/. */
  predictions: string;
  /** Path of the data set. */
  data: string;
  /** The checkpoint's step. Shards of another step, data set, size or transforms are never mixed with these. */
  step: number;
  transforms: readonly Draw[];
  /** Galaxies in a shard. */
  size: number;
  /** Galaxies of each split to predict; 0 leaves it out. */
  counts: { valid: number; test: number };
}

/** The step of a checkpoint's folder: checkpoints/step-00000100 -> 100. */
export function stepOf(checkpoint: string): number {
  return Number(checkpoint.split("-").at(-1));
}

/** The shards of a prediction, in order: validation first. */
export function shardsOf(options: ShardOptions): Shard[] {
  const { predictions, data, step, transforms, size, counts } = options;
  const key = createHash("sha256").update(JSON.stringify([data, step, size, transforms]));
  const folder = join(predictions, `shards-${key.digest("hex").slice(0, 12)}`);
  return (["valid", "test"] as const).flatMap((split) =>
    Array.from({ length: Math.ceil(counts[split] / size) }, (_, i) => {
      const first = i * size;
      const name = join(folder, `${split}-${String(first).padStart(8, "0")}`);
      return {
        split,
        first,
        count: Math.min(size, counts[split] - first),
        file: `${name}.csv`,
        single: `${name}.single.csv`,
      };
    }),
  );
}

/** Part `index` (from 1) of `of`: every of-th shard. */
export function shardsOfPart(
  shards: readonly Shard[],
  { index, of }: { index: number; of: number },
): Shard[] {
  return shards.filter((_, i) => i % of === index - 1);
}

export function isShardDone({ file }: Shard): boolean {
  return existsSync(file);
}

/** Joins shards' files into one, sorted by id. */
export async function joinShards(
  files: readonly string[],
  out: string,
  columns: readonly string[],
): Promise<void> {
  const parts: Predictions[] = [];
  for (const file of files) parts.push(await readPredictions(file, { columns }));
  const ids = parts.flatMap((part) => part.ids);
  const values = new Float32Array(ids.length * columns.length);
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  await writePredictions(out, ids, values, { columns });
}
