/**
 * Where a recipe's pixels come from. Shrunk images are small (135 kB at half size), so they are decoded once into a
 * cache; images at full size (540 kB) are decoded anew each time, which costs less than a tenth of a step.
 */
import { buildPixelCache, type Dataset, type Split } from "@gz/galaxies";
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
  if (shrink === 1) return { kind: "images", dataset: dataset.describe(), split, ...centred };
  return { kind: "cache", file: await cacheFile(dataset, split, shrink, signal), ...centred };
}

async function cacheFile(
  dataset: Dataset,
  split: Split,
  shrink: number,
  signal?: AbortSignal,
): Promise<string> {
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
    return file;
  } finally {
    progress?.stop();
  }
}
