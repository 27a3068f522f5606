/**
 * Experiments as data: a base recipe, and variants of it that each change one thing. A JSON file; named ones lie in
 * apps/kaggle/experiments. Every variant is trained from the same seeds as the base, so that they can be compared in pairs.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readNamed } from "../cli/named-file.ts";
import { type Recipe, recipeFrom } from "../recipe/recipe.ts";
import { PSEUDO_DEFAULTS, type PseudoLabelOptions } from "../training/pseudo-labels.ts";

interface Variant {
  name: string;
  /** What it changes. */
  about: string;
  /** What others said came of it. */
  reported?: string | undefined;
  recipe: Recipe;
  /** Test images that it learns from, too. */
  pseudoLabels?: PseudoLabelOptions | undefined;
}

export interface Experiments {
  about: string;
  /** The first is the base. */
  variants: Variant[];
}

const text = v.pipe(v.string(), v.minLength(1));
const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const schema = v.strictObject({
  about: text,
  /** A recipe, which may `extends` another. */
  base: v.strictObject({ about: text, recipe: v.record(v.string(), v.unknown()) }),
  variants: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
        about: text,
        reported: v.optional(text),
        /** What it changes in the base recipe. */
        recipe: v.optional(v.record(v.string(), v.unknown()), {}),
        /** As the options of `kaggle train`; the file's path is relative to this one's. */
        pseudoLabels: v.optional(
          v.strictObject({
            file: text,
            share: v.optional(fraction, PSEUDO_DEFAULTS.share),
            weight: v.optional(v.pipe(v.number(), v.gtValue(0)), PSEUDO_DEFAULTS.weight),
            from: v.optional(fraction, PSEUDO_DEFAULTS.from),
          }),
        ),
      }),
    ),
    v.minLength(1),
  ),
});

const FOLDER = fileURLToPath(new URL("../../experiments/", import.meta.url));
const BASE = "base";

/** The experiments of that name, or of that JSON file; throws a CliError that names what is wrong. */
export function loadExperiments(nameOrFile: string): Experiments {
  const { file, value } = readNamed(schema, nameOrFile, {
    caller: "experiments",
    what: "the experiments",
    folder: FOLDER,
  });
  const { about, base, variants } = value;
  const beside = (path: string): string => resolve(dirname(file), path);
  for (const { name, pseudoLabels } of variants)
    if (pseudoLabels && !existsSync(beside(pseudoLabels.file)))
      throw new CliError(
        `experiments: expected pseudo-labels of ${name} in ${beside(pseudoLabels.file)} but it is not there (in ${file})`,
      );
  const names = [BASE, ...variants.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new CliError(
      `experiments: expected names of their own for variants in ${file} but got ${twice} twice`,
    );
  const recipe = recipeFrom({ ...base.recipe, name: BASE, about: base.about }, file);
  return {
    about,
    variants: [
      { name: BASE, about: base.about, recipe },
      ...variants.map(({ recipe: changes, pseudoLabels, ...variant }) => ({
        ...variant,
        ...(pseudoLabels && {
          pseudoLabels: { ...pseudoLabels, file: beside(pseudoLabels.file) },
        }),
        recipe: recipeFrom({ ...changes, name: variant.name, about: variant.about }, file, recipe),
      })),
    ],
  };
}

/** Some variants and the base, in the file's order. */
export function chooseVariants(experiments: Experiments, names: readonly string[]): Experiments {
  const { variants } = experiments;
  for (const name of names)
    if (!variants.some((variant) => variant.name === name))
      throw new CliError(
        `experiments: expected some of ${variants.map((variant) => variant.name).join(", ")} for --only but got ${name}`,
      );
  return {
    ...experiments,
    variants: variants.filter(({ name }) => name === BASE || names.includes(name)),
  };
}
