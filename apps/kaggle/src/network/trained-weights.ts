/**
 * Trained weights to go on from: those that a run predicts with (a checkpoint's moving average where the recipe keeps one,
 * else its weights), from the run itself or from what `kaggle export` wrote of it.
 */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  bestCheckpoint,
  latestCheckpoint,
  loadCheckpoint,
  namedWeights,
  readSafetensors,
  type SavedState,
} from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { treeOf } from "../recipe/question-tree.ts";
import { checkRecipe, type Recipe } from "../recipe/recipe.ts";
import { openRun, type Run } from "../run/run.ts";

export interface TrainedWeights {
  /** The run's folder, or that of its export, or its file. */
  path: string;
  /** What they were trained by. */
  recipe: Recipe;
  /** How many steps of it. */
  step: number;
  /** By name, as in "stem/kernel". */
  tensors: SavedState;
}

/** A run's checkpoints that can be asked for: the latest, and that of the lowest validation RMSE so far. */
export const CHECKPOINTS = ["latest", "best"] as const;
export type CheckpointName = (typeof CHECKPOINTS)[number];

/** Path of a run's checkpoint; a CliError of the caller's says that there is none. */
export async function checkpointOf(
  caller: string,
  { folder, checkpoints }: Run,
  name: CheckpointName = "latest",
): Promise<string> {
  const path = await (name === "best" ? bestCheckpoint : latestCheckpoint)(checkpoints);
  if (path) return path;
  const none = name === "best" ? "no checkpoint that was validated" : "no checkpoint";
  throw new CliError(`${caller}: ${folder} has ${none} yet; train it first`);
}

/** The weights that a run predicts with. */
export async function weightsOfRun(run: Run, name?: CheckpointName): Promise<TrainedWeights> {
  const { step, weights, average } = await loadCheckpoint(await checkpointOf("weights", run, name));
  const { updates: _, ...averages } = average ?? {};
  return {
    path: resolve(run.folder),
    recipe: run.recipe,
    step,
    tensors: average ? averages : weights,
  };
}

/** The weights' file in an exported folder. */
export const SAFETENSORS = "model.safetensors";

/** What that file says of itself beside its tensors, so that it can be gone on from without its run. */
export function exportNotes({ recipe, step }: TrainedWeights): Record<string, string> {
  return { formatVersion: "1", recipe: JSON.stringify(recipe), step: String(step) };
}

/** The weights of a run, of an exported folder, or of the safetensors file in it. */
export async function weightsFrom(source: string): Promise<TrainedWeights> {
  if (existsSync(join(source, "run.json"))) return weightsOfRun(openRun(source));
  const isFile = existsSync(source) && statSync(source).isFile();
  const file = isFile ? source : join(source, SAFETENSORS);
  if (!existsSync(file))
    throw new CliError(
      `weights: expected a run, or what kaggle export wrote of one, but ${source} ${existsSync(source) ? `has neither run.json nor ${SAFETENSORS}` : "is not there"}`,
    );
  const { tensors, metadata } = await readSafetensors(file);
  const { formatVersion, recipe, step } = metadata;
  if (formatVersion !== "1" || recipe === undefined || step === undefined)
    throw new CliError(
      `weights: expected the notes of kaggle export, format version 1, in ${file} but got ${Object.keys(metadata).length === 0 ? "none" : JSON.stringify(metadata).slice(0, 80)}`,
    );
  return {
    path: resolve(source),
    recipe: checkRecipe(parseRecipe(recipe, file), file),
    step: Number(step),
    tensors,
  };
}

function parseRecipe(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`weights: the recipe in ${file} is not JSON: ${(error as Error).message}`);
  }
}

/** What became of the head: kept where both recipes' networks answer the same questions in the same way. */
type Head = "kept" | "replaced";

/**
 * Puts weights into the model of a recipe. The head is left as it is, freshly drawn, where it answers other questions;
 * all other layers have to fit: a CliError names the first that does not, and nothing has changed then.
 */
export function putWeights(model: tf.LayersModel, recipe: Recipe, weights: TrainedWeights): Head {
  const head = sameOutput(recipe, weights.recipe) ? "kept" : "replaced";
  const isLeft = (name: string) => head === "replaced" && name.startsWith("head/");
  const wrong = (name: string, expected: string, got: string) => {
    const [layer] = name.split("/");
    return new CliError(
      `weights: expected ${expected} for layer ${layer} (${name}), as recipe ${recipe.name} has it, but ${weights.path} (recipe ${weights.recipe.name}) has ${got}`,
    );
  };
  const variables = [...namedWeights(model)].filter(([name]) => !isLeft(name));
  for (const [name, { shape }] of variables) {
    const tensor = weights.tensors[name];
    if (!tensor) throw wrong(name, show(shape), "none");
    if (!tf.util.arraysEqual(shape, tensor.shape))
      throw wrong(name, show(shape), show(tensor.shape));
  }
  const names = new Set(variables.map(([name]) => name));
  for (const [name, { shape }] of Object.entries(weights.tensors))
    if (!names.has(name) && !isLeft(name)) throw wrong(name, "nothing", show(shape));
  tf.tidy(() => {
    for (const [name, variable] of variables) {
      const { data, shape, dtype } = weights.tensors[name]!;
      variable.assign(tf.tensor(data, shape, dtype));
    }
  });
  return head;
}

function sameOutput(a: Recipe, b: Recipe): boolean {
  const output = (recipe: Recipe) =>
    JSON.stringify([
      recipe.output.normalize,
      treeOf(recipe).map(({ answers, parents = [] }) => [answers, parents]),
    ]);
  return output(a) === output(b);
}

const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
