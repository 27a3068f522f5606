/**
 * Where a recipe's pixels come from. Shrunk images are small (135 kB at half size), so they are decoded once into a
 * cache; images at full size (540 kB) are decoded anew each time, which costs less than a tenth of a step.
 */
import type { Image } from "@gz/augment";
import {
  buildPixelCache,
  type Dataset,
  type DatasetDescription,
  decode,
  openDataset,
  openPixelCache,
  type Split,
} from "@gz/galaxies";
import { createProgress } from "./progress.ts";

/** Plain data, so that each worker thread opens its own. */
export type PixelSource =
  | { kind: "cache"; file: string }
  | { kind: "images"; dataset: DatasetDescription; split: Split };

export interface Pixels {
  /** The image of a row (train: CSV order, test: ascending ids). Valid until the next call. */
  read(row: number): Image | Promise<Image>;
}

/** The source for a recipe, its cache built if it is not there yet. */
export async function pixelSource(
  dataset: Dataset,
  split: Split,
  shrink: number,
  signal?: AbortSignal,
): Promise<PixelSource> {
  if (shrink === 1) return { kind: "images", dataset: dataset.describe(), split };
  const total = (split === "train" ? dataset.trainIds : dataset.testIds).length;
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    const { file } = await buildPixelCache(dataset, split, {
      shrink,
      onProgress(done) {
        progress ??= createProgress(`decode ${split}`, total);
        progress.update(done);
      },
      ...(signal && { signal }),
    });
    return { kind: "cache", file };
  } finally {
    progress?.stop();
  }
}

/** Opens a source in this thread; it is closed with the thread. */
export async function openPixels(source: PixelSource): Promise<Pixels> {
  if (source.kind === "cache") {
    const cache = openPixelCache(source.file);
    const buffer = new Uint8Array(cache.height * cache.width * 3);
    return { read: (row) => cache.read(row, buffer) };
  }
  const { split } = source;
  const dataset = await openDataset(source.dataset);
  const ids = split === "train" ? dataset.trainIds : dataset.testIds;
  return {
    async read(row) {
      const id = ids[row]!;
      return decode(await dataset.read(id, split), { name: dataset.where(id, split) });
    },
  };
}
