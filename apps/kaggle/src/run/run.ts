/**
 * A run is a folder, and the folder is its only state:
 * recipe.json, run.json (how it was started), metrics.jsonl, checkpoints/, predictions/, pseudo-labels.csv where it
 * learns from any.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { checked } from "../cli/checked.ts";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { checkRecipe, type Recipe } from "../recipe/recipe.ts";
import { keepPseudoLabels, type PseudoLabelOptions } from "../training/pseudo-labels.ts";

/** How long a run trains: a number of steps, or minutes of training time. */
export type Budget = { steps: number } | { minutes: number };

/** What run.json holds. */
export interface RunInfo {
  formatVersion: 1;
  seed: number;
  budget: Budget;
  /** The data set, as given, how many of its rows train and validate, and what tells it from others (origin.ts). */
  data: { path: string; train: number; valid: number; fingerprint?: string };
  /** The trained weights that it started from; left out, they were drawn. */
  from?: {
    /** The run's folder, or what was exported of it. */
    path: string;
    /** The recipe that they were trained by, and for how many steps. */
    recipe: string;
    step: number;
    /** "replaced": the head was drawn, since it answers other questions. */
    head: "kept" | "replaced";
  };
  /** Predictions of test images that it learns from, too: how (pseudo-labels.ts), and of how many. */
  pseudoLabels?: PseudoLabelOptions & { images: number };
  /** The backend of the latest start, in words. */
  backend: string;
  node: string;
  /** ISO 8601, of the first start. */
  started: string;
}

/** What cannot be missing. */
const infoSchema = v.looseObject({
  formatVersion: v.literal(1),
  seed: v.number(),
  budget: v.union([v.object({ steps: v.number() }), v.object({ minutes: v.number() })]),
  data: v.looseObject({ path: v.string(), train: v.number(), valid: v.number() }),
  backend: v.string(),
});

export interface Run {
  readonly folder: string;
  readonly recipe: Recipe;
  readonly info: RunInfo;
  /** Short name: the folder's own. */
  readonly name: string;
  readonly metricsFile: string;
  readonly checkpoints: string;
  readonly predictions: string;
}

function paths(folder: string, recipe: Recipe, info: RunInfo): Run {
  return {
    folder,
    recipe,
    info,
    name: resolve(folder).split(/[\\/]/).at(-1) ?? folder,
    metricsFile: join(folder, "metrics.jsonl"),
    checkpoints: join(folder, "checkpoints"),
    predictions: join(folder, "predictions"),
  };
}

/** Writes a file so that it is there whole or not at all. */
export function writeAtomic(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Starts a run in a new folder; one that already holds a run is refused, so that nothing is overwritten. */
export function createRun(folder: string, recipe: Recipe, info: RunInfo): Run {
  if (existsSync(join(folder, "recipe.json")))
    throw new CliError(
      `train: ${folder} already holds a run; go on with --resume, or give another --out`,
    );
  const run = paths(folder, recipe, info);
  mkdirSync(run.checkpoints, { recursive: true });
  mkdirSync(run.predictions, { recursive: true });
  if (info.pseudoLabels) keepPseudoLabels(info.pseudoLabels.file, folder);
  writeAtomic(join(folder, "run.json"), json(info));
  writeAtomic(join(folder, "recipe.json"), json(recipe));
  return run;
}

/** Opens a run that is there. */
export function openRun(folder: string): Run {
  const read = (name: string): unknown => {
    const file = join(folder, name);
    if (!existsSync(file)) throw new CliError(`run: ${folder} is not a run: it has no ${name}`);
    return readJson("run", file);
  };
  const where = { caller: "run", what: "the run", file: join(folder, "run.json") };
  const info = checked(infoSchema, read("run.json"), where) as Partial<RunInfo> as RunInfo;
  return paths(folder, checkRecipe(read("recipe.json"), join(folder, "recipe.json")), info);
}

/** Records a later start (its backend, its data path) in run.json. */
export function updateRunInfo(run: Run, changes: Partial<RunInfo>): Run {
  const info = { ...run.info, ...changes };
  writeAtomic(join(run.folder, "run.json"), json(info));
  return paths(run.folder, run.recipe, info);
}
