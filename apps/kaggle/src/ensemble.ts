/**
 * An ensemble is a list of members, each a recipe and a seed, as plain JSON. The named ones lie in
 * apps/kaggle/ensembles; a user's file may list recipes by name or by file, looked for beside it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { CliError } from "./errors.ts";
import { loadRecipe, type Recipe } from "./recipe.ts";

const schema = v.strictObject({
  about: v.string(),
  members: v.pipe(
    v.array(
      v.strictObject({
        /** Name of a recipe, or its JSON file. */
        recipe: v.string(),
        seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
      }),
    ),
    v.minLength(1),
  ),
});

/** One network of an ensemble. */
interface EnsembleMember {
  /** Of its own in the ensemble: its number and its recipe's name, as in "03-maxout2048". */
  name: string;
  recipe: Recipe;
  seed: number;
}

export interface Ensemble {
  about: string;
  members: EnsembleMember[];
}

const FOLDER = fileURLToPath(new URL("../ensembles/", import.meta.url));

/** Names of the ensembles that ship with the app. */
function ensembleNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}

/** The ensemble of that name ("winner": the 17 networks that won), or of that JSON file. */
export function loadEnsemble(nameOrFile: string): Ensemble {
  const shipped = ensembleNames().includes(nameOrFile);
  const file = shipped ? `${FOLDER}${nameOrFile}.json` : resolve(nameOrFile);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CliError(
      `ensemble: expected one of ${ensembleNames().join(", ")} or a JSON file but got ${nameOrFile}: ${(error as Error).message}`,
    );
  }
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const issue = result.issues[0];
    throw new CliError(
      `ensemble: expected ${issue.expected ?? issue.requirement} for ${v.getDotPath(issue) ?? "the ensemble"} but got ${issue.received} (in ${nameOrFile})`,
    );
  }
  const { about, members } = result.output;
  const digits = String(members.length).length;
  return {
    about,
    members: members.map(({ recipe: wanted, seed }, i) => {
      const recipe = loadRecipe(wanted, dirname(file));
      return { name: `${String(i + 1).padStart(digits, "0")}-${recipe.name}`, recipe, seed };
    }),
  };
}
