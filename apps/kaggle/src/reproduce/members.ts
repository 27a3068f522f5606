/**
 * An ensemble is a JSON file: { about, start, members: [{ recipe, seed }] }. Named ones lie in apps/kaggle/ensembles; a
 * recipe is a name, or a JSON file beside the ensemble's.
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

export interface MemberList {
  members: Member[];
  /** What is trained before them, for this share of a budget in all; each of them goes on from its weights. */
  start?: { member: Member; share: number };
}

const memberKeys = {
  recipe: v.pipe(v.string(), v.minLength(1)),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
};

const schema = v.strictObject({
  about: v.optional(v.string()),
  start: v.optional(
    v.strictObject({
      ...memberKeys,
      share: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
    }),
  ),
  members: v.pipe(v.array(v.strictObject(memberKeys)), v.minLength(1)),
});

/** Name of what members start from, and of its folder. */
const START = "start";

const FOLDER = fileURLToPath(new URL("../../ensembles/", import.meta.url));

/** Names of the ensembles that ship with the app. */
export function ensembleNames(): string[] {
  return shippedNames(FOLDER);
}

/** The members of a named ensemble, or of a JSON file; two members that would be the same run are refused. */
export function loadEnsemble(nameOrFile: string): MemberList {
  const { file, value } = readNamed(schema, nameOrFile, {
    caller: "reproduce",
    what: "the ensemble",
    option: "--members",
    folder: FOLDER,
  });
  const recipeOf = (recipe: string) => {
    const beside = resolve(dirname(file), recipe);
    return loadRecipe(recipe.endsWith(".json") && existsSync(beside) ? beside : recipe);
  };
  const members = value.members.map(({ recipe, seed }) => ({ recipe: recipeOf(recipe), seed }));
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
    if (named.findIndex((one) => one.name === name) !== i || (value.start && name === START))
      throw new CliError(
        `reproduce: expected recipes whose members have folders of their own but two of ${file} would be ${name}; rename one`,
      );
  }
  if (!value.start) return { members: named };
  const { seed, share } = value.start;
  const recipe = recipeOf(value.start.recipe);
  const unlike = members.find((member) => !sameWeights(member.recipe, recipe));
  if (unlike)
    throw new CliError(
      `reproduce: expected a network of the same weights as ${unlike.recipe.name}'s for start of ${file}, from which it is to go on, but got that of ${recipe.name}`,
    );
  return { members: named, start: { member: { name: START, recipe, seed }, share } };
}

/** Whether one's weights fit the other's network, all of them. */
function sameWeights(a: Recipe, b: Recipe): boolean {
  const layers = ({ network: { head: _, ...layers } }: Recipe) => ({ ...layers, symmetries: 0 });
  return (
    isDeepStrictEqual(layers(a), layers(b)) &&
    isDeepStrictEqual(columnsOfRecipe(a), columnsOfRecipe(b))
  );
}
