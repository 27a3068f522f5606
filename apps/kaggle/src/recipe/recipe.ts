/**
 * A recipe is everything that defines one training run, as plain JSON: input, augmentation, network, output,
 * optimiser, schedule (schema.ts). The named ones lie in apps/kaggle/recipes; a user's file may `extends` any of them,
 * or another file beside it, by a few lines. What keys mean together is checked here.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { checkTree, inlineTree } from "./question-tree.ts";
import { checkKeys, type Recipe } from "./schema.ts";

export type { PartsNetwork, Recipe, ResidualNetwork } from "./schema.ts";

const FOLDER = fileURLToPath(new URL("../../recipes/", import.meta.url));

/** The recipes that ship with the app, by name: the app's own first, then the winner's variants of `best`. */
function shippedRecipes(): Map<string, string> {
  const files = ["", "winner/"].flatMap((folder) =>
    readdirSync(`${FOLDER}${folder}`)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .map((file) => `${FOLDER}${folder}${file}`),
  );
  return new Map(files.map((file) => [basename(file, ".json"), file]));
}

/** Names of the recipes that ship with the app. */
export function recipeNames(): string[] {
  return [...shippedRecipes().keys()];
}

/**
 * The recipe of that name, or of that JSON file, beside which what it `extends` is looked for; throws a CliError that
 * names the key at fault.
 */
export function loadRecipe(nameOrFile: string): Recipe {
  const name = nameOrFile.replace(/^.*[\\/]/, "").replace(/\.json$/, "");
  const value = read(nameOrFile, { folder: ".", option: "--recipe", seen: [] });
  return checkRecipe({ name, ...(value as object) }, nameOrFile);
}

/**
 * A recipe that stands in a JSON file of something else: `value` may extend a named one or a file beside it, or, where
 * `base` is given, changes that.
 */
export function recipeFrom(value: Record<string, unknown>, file: string, base?: Recipe): Recipe {
  const own = extended(value, resolve(file), file, []);
  return checkRecipe(base ? merge(base, own) : own, file);
}

/** Checks a recipe read from anywhere (`source` names it in errors). */
export function checkRecipe(value: unknown, source: string): Recipe {
  const recipe = checkKeys(value, source);
  if (recipe.schedule.kind === "steps") {
    const starts = recipe.schedule.rates.map(([start]) => start);
    if (starts[0] !== 0 || starts.some((start, i) => i > 0 && start <= (starts[i - 1] ?? 0)))
      throw new CliError(
        `recipe: expected rising fractions from 0 for schedule.rates but got ${starts.join(", ")} (in ${source})`,
      );
  }
  checkSpans(recipe, source);
  checkPolar(recipe, source);
  checkTree(recipe, source);
  return recipe;
}

/** A span for each view, and none that the network would not see in training. */
function checkSpans({ input: { span, angles }, network }: Recipe, source: string): void {
  if (typeof span === "number") return;
  if (span.length !== angles.length)
    throw new CliError(
      `recipe: expected one number, or one for each of ${angles.length} angles, for input.span but got ${span.join(", ")} (in ${source})`,
    );
  if (network.kind === "residual" && network.symmetries)
    throw new CliError(
      `recipe: expected one number for input.span with network.symmetries, which trains on the first view alone, but got ${span.join(", ")} (in ${source})`,
    );
}

/** Parts are corners of squares, and symmetries turn squares. */
function checkPolar({ input, network }: Recipe, source: string): void {
  if (!input.polar || (network.kind === "residual" && !network.symmetries)) return;
  const got = network.kind === "residual" ? "one with symmetries" : `one of ${network.kind}`;
  throw new CliError(
    `recipe: expected a residual network without symmetries for input.polar but got ${got} (in ${source})`,
  );
}

/** @param option what named it, in errors */
function read(
  nameOrFile: string,
  { folder, option, seen }: { folder: string; option: string; seen: readonly string[] },
): unknown {
  const file = shippedRecipes().get(nameOrFile) ?? resolve(folder, nameOrFile);
  if (!existsSync(file))
    throw new CliError(
      `recipe: expected one of ${recipeNames().join(", ")} or a JSON file for ${option} but got ${nameOrFile}`,
    );
  if (seen.includes(file))
    throw new CliError(`recipe: ${file} extends itself (${[...seen, file].join(" -> ")})`);
  const value = readJson("recipe", file);
  if (!isObject(value)) throw new CliError(`recipe: expected a JSON object in ${file}`);
  return extended(value, file, nameOrFile, [...seen, file]);
}

/** What a file's object makes of what it extends. */
function extended(
  value: Record<string, unknown>,
  file: string,
  source: string,
  seen: readonly string[],
): unknown {
  const { extends: base, ...own } = value;
  const folder = dirname(file);
  inlineTree(own, folder, source);
  if (base === undefined) return own;
  const name = typeof base === "string" ? base : JSON.stringify(base);
  return merge(read(name, { folder, option: `extends in ${source}`, seen }), own);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects merge key by key, everything else is replaced; another `kind` replaces its whole object. */
function merge(base: unknown, own: unknown): unknown {
  if (!isObject(base) || !isObject(own)) return own;
  if ("kind" in own && own.kind !== base.kind) return own;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(own)) merged[key] = merge(base[key], value);
  return merged;
}
