import { openDataset, type Split } from "@gz/galaxies";
import { pixelSource } from "../images/pixel-source.ts";
import { dataOptions } from "../recipe/data-options.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { Member } from "./members.ts";

/** The images that members read: the training ones always, those of the test set where they predict it. */
export function imageSplits({ test }: { test: number }): Split[] {
  return test > 0 ? ["train", "test"] : ["train"];
}

/** Decodes and measures once what several members read, before each of them would; false when interrupted. */
export async function decodeFor(
  members: readonly Member[],
  data: string,
  galaxies: { test: number },
  signal: AbortSignal,
): Promise<boolean> {
  const dataset = await openDataset(data, dataOptions(members[0]!.recipe));
  try {
    const inputs = members.map(({ recipe: { input } }) => [key(input), input] as const);
    for (const input of new Map(inputs).values())
      for (const split of imageSplits(galaxies)) await pixelSource(dataset, split, input, signal);
  } finally {
    await dataset.close();
  }
  return !signal.aborted;
}

/** Inputs that read the same share it. */
function key({ shrink, centre }: Recipe["input"]): string {
  return `${shrink} ${centre?.threshold}`;
}
