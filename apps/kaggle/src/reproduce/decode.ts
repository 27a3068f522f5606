import { openDataset, type Split } from "@gz/galaxies";
import { pixelSource } from "../pixels.ts";
import { labelTreeOf } from "../question-tree.ts";
import type { Member } from "./members.ts";

/** Decodes once what several members read, before each of them would; false when interrupted. */
export async function decodeFor(
  members: readonly Member[],
  data: string,
  signal: AbortSignal,
): Promise<boolean> {
  const dataset = await openDataset(data, { tree: labelTreeOf(members[0]!.recipe) });
  try {
    for (const shrink of new Set(members.map(({ recipe }) => recipe.input.shrink)))
      for (const split of ["train", "test"] as Split[])
        if (split === "train" || dataset.testIds.length > 0)
          await pixelSource(dataset, split, shrink, signal);
  } finally {
    await dataset.close();
  }
  return !signal.aborted;
}
