/**
 * A recipe's questions: Kaggle's, the same as Galaxy Zoo 2 asked them ("proper"), or the user's own, as JSON
 * [{ "name", "answers", "parents"?, "text"?, "answerTexts"? }, …]; see `Question` of @gz/galaxies.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { columnsOf, KAGGLE_TREE, PROPER_TREE, type QuestionTree } from "@gz/galaxies";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import type { Recipe } from "./schema.ts";

const named = v.picklist(["kaggle", "proper"]);
const texts = v.array(v.pipe(v.string(), v.minLength(1)));
const questions = v.array(
  v.strictObject({
    name: v.pipe(v.string(), v.minLength(1)),
    text: v.exactOptional(v.string()),
    answers: texts,
    answerTexts: v.exactOptional(texts),
    parents: v.exactOptional(texts),
  }),
);

/** `output.tree` of a checked recipe. Lazy, so that errors are those of the kind that was given. */
export const treeSchema: v.GenericSchema<"kaggle" | "proper" | QuestionTree> = v.lazy((value) =>
  Array.isArray(value) ? questions : named,
);

/** The questions that the recipe's network answers. */
export function treeOf({ output: { tree } }: Recipe): QuestionTree {
  if (tree === "kaggle") return KAGGLE_TREE;
  return tree === "proper" ? PROPER_TREE : tree;
}

/** The questions that its labels answer: Kaggle's files are of one tree, whichever the network follows. */
export function labelTreeOf({ output: { tree } }: Recipe): QuestionTree {
  return typeof tree === "string" ? KAGGLE_TREE : tree;
}

/** The columns of its labels and predictions, in order. */
export function columnsOfRecipe(recipe: Recipe): readonly string[] {
  return columnsOf(treeOf(recipe));
}

/** Puts the questions of a file in the place of its path, so that a recipe, and a run, hold all that defines them. */
export function inlineTree(recipe: Record<string, unknown>, folder: string, source: string): void {
  const output = recipe.output as { tree?: unknown } | undefined;
  const tree = output?.tree;
  if (typeof tree !== "string" || v.is(named, tree)) return;
  const file = resolve(folder, tree);
  if (!existsSync(file))
    throw new CliError(
      `recipe: expected kaggle, proper, questions or a JSON file of them for output.tree but ${file} is not there (in ${source})`,
    );
  recipe.output = { ...output, tree: readJson("recipe", file) };
}

/** Checks what the schema cannot: columns, parents, and what normalisation and loss can do. */
export function checkTree(recipe: Recipe, source: string): void {
  const { loss, smoothing, normalize, tree, clipSteps } = recipe.output;
  try {
    columnsOf(treeOf(recipe));
  } catch (error) {
    const message = (error as Error).message.replace(/^columnsOf: /, "");
    throw new CliError(`recipe: ${message} (output.tree in ${source})`);
  }
  if (normalize === "softmax" && clipSteps > 0)
    throw new CliError(
      `recipe: expected 0 for output.clipSteps with output.normalize softmax, whose logits are no fractions, but got ${clipSteps} (in ${source})`,
    );
  if (smoothing !== undefined && loss !== "cross-entropy")
    throw new CliError(
      `recipe: expected output.loss cross-entropy for output.smoothing but got ${loss ?? "squared-error"} (in ${source})`,
    );
  if (loss !== "cross-entropy") return;
  if (normalize !== "softmax" || tree === "proper")
    throw new CliError(
      `recipe: expected output.normalize softmax and output.tree kaggle, or questions of your own, for output.loss cross-entropy but got ${normalize} and ${tree === "proper" ? tree : "that tree"} (in ${source})`,
    );
  for (const { name, parents = [] } of treeOf(recipe))
    if (parents.length > 1)
      throw new CliError(
        `recipe: expected at most one parent of a question for output.loss cross-entropy but ${name} has ${parents.join(" and ")} (output.tree in ${source}); squared-error takes any`,
      );
}
