import type { DatasetOptions } from "@gz/galaxies";
import { labelTreeOf } from "./question-tree.ts";
import type { Recipe } from "./recipe.ts";

/** How a recipe reads a data set: the questions of its labels, and what it does with images of other sizes. */
export function dataOptions(recipe: Recipe): Required<DatasetOptions> {
  return { tree: labelTreeOf(recipe), fit: recipe.input.fit ?? "exact" };
}
