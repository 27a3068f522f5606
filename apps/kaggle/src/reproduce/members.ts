/**
 * An ensemble is a JSON file: { about, members: [{ recipe, seed }] }. Named ones lie in apps/kaggle/ensembles; a recipe
 * is a name, or a JSON file beside the ensemble's.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readNamed, shippedNames } from "../cli/named-file.ts";
import { columnsOfRecipe } from "../recipe/question-tree.ts";
import { loadRecipe, type Recipe } from "../recipe/recipe.ts";
import type { PseudoLabelOptions } from "../training/pseudo-labels.ts";

export interface Member {
  /** Of its folder: the recipe's name, numbered where a recipe has several members. */
  name: string;
  recipe: Recipe;
  seed: number;
  /** Of test images, to learn from; of experiments. */
  pseudoLabels?: PseudoLabelOptions | undefined;
}

const schema = v.strictObject({
  about: v.optional(v.string()),
  members: v.pipe(
    v.array(
      v.strictObject({
        recipe: v.pipe(v.string(), v.minLength(1)),
        seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
      }),
    ),
    v.minLength(1),
  ),
});

const FOLDER = fileURLToPath(new URL("../../ensembles/", import.meta.url));

/** Names of the ensembles that ship with the app. */
export function ensembleNames(): string[] {
  return shippedNames(FOLDER);
}

/** The members of a named ensemble, or of a JSON file; two members that would be the same run are refused. */
export function loadEnsemble(nameOrFile: string): Member[] {
  const { file, value } = readNamed(schema, nameOrFile, {
    caller: "reproduce",
    what: "the ensemble",
    option: "--members",
    folder: FOLDER,
  });
  const members = value.members.map(({ recipe, seed }) => {
    const beside = resolve(dirname(file), recipe);
    return {
      recipe: loadRecipe(recipe.endsWith(".json") && existsSync(beside) ? beside : recipe),
      seed,
    };
  });
  const [first] = members;
  const other = members.find(
    ({ recipe }) => !isDeepStrictEqual(columnsOfRecipe(recipe), columnsOfRecipe(first!.recipe)),
  );
  if (other)
    throw new CliError(
      `reproduce: expected members that answer the same questions but ${other.recipe.name} has others than ${first!.recipe.name} (in ${file})`,
    );
  const fitted = members.find(({ recipe }) => recipe.input.fit !== first!.recipe.input.fit);
  if (fitted)
    throw new CliError(
      `reproduce: expected the same input.fit of all members but ${fitted.recipe.name} has another than ${first!.recipe.name} (in ${file})`,
    );
  const named = members.map(({ recipe, seed }, i) => {
    const same = members.flatMap((other, j) => (other.recipe.name === recipe.name ? [j] : []));
    const key = JSON.stringify([recipe, seed]);
    const twin = same.find(
      (j) => j < i && JSON.stringify([members[j]!.recipe, members[j]!.seed]) === key,
    );
    if (twin !== undefined)
      throw new CliError(
        `reproduce: expected another seed for members.${i} of ${file} but ${recipe.name} has seed ${seed} already (members.${twin})`,
      );
    return {
      name: same.length > 1 ? `${recipe.name}-${same.indexOf(i) + 1}` : recipe.name,
      recipe,
      seed,
    };
  });
  for (const [i, { name }] of named.entries()) {
    if (!/^[\w.-]+$/.test(name))
      throw new CliError(
        `reproduce: expected a recipe's name of letters, digits, - and _ for members.${i} of ${file} but got ${name}`,
      );
    if (named.findIndex((one) => one.name === name) !== i)
      throw new CliError(
        `reproduce: expected recipes whose members have folders of their own but two of ${file} would be ${name}; rename one`,
      );
  }
  return named;
}
