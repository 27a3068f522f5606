/**
 * Where a recipe's pixels come from. Shrunk images are small (135 kB at half size), so they are decoded once into a
 * cache. Images at full size (540 kB) are read from one that `prepare --full` made, where there is one, and else decoded
 * anew each time: on two cores that costs a tenth of a step, on a fast GPU more than the step.
 */
import {
  type BuiltPixelCache,
  buildPixelCache,
  type Dataset,
  findPixelCache,
  type Split,
} from "@gz/galaxies";
import { createProgress } from "../cli/progress.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { galaxyCentres } from "./centres.ts";
import type { PixelSource } from "./pixels.ts";

/** The source for a recipe's input; what it needs in caches is made if it is not there yet. */
export async function pixelSource(
  dataset: Dataset,
  split: Split,
  { shrink, centre }: Pick<Recipe["input"], "shrink" | "centre">,
  signal?: AbortSignal,
): Promise<PixelSource> {
  const centred = centre && {
    centres: (await galaxyCentres(dataset, split, { threshold: centre.threshold, signal })).values,
  };
  const cache =
    shrink === 1
      ? await findPixelCache(dataset, split)
      : await pixelCache(dataset, split, shrink, signal);
  if (!cache) return { kind: "images", dataset: dataset.describe(), split, ...centred };
  const { file, fingerprint } = cache;
  return { kind: "cache", file, fingerprint, ...centred };
}

/** The cache of a split at that size, made if it is not there yet, with progress. */
export async function pixelCache(
  dataset: Dataset,
  split: Split,
  shrink: number,
  signal?: AbortSignal,
): Promise<BuiltPixelCache> {
  const total = (split === "train" ? dataset.trainIds : dataset.testIds).length;
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    return await buildPixelCache(dataset, split, {
      shrink,
      onProgress(done) {
        progress ??= createProgress(`decode ${split}`, total);
        progress.update(done);
      },
      ...(signal && { signal }),
    });
  } finally {
    progress?.stop();
  }
}
