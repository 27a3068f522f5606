/**
 * Learning from test images: soft labels for them, such as a blend's predictions, mixed into the batches of a run
 * (D.-H. Lee, "Pseudo-Label", ICML 2013 workshop). The run keeps a copy, so that it goes on whatever becomes of the file.
 */
import { copyFileSync, existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { columnsOf, type Dataset, type QuestionTree, readPredictions } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import type { Mixture } from "../images/order.ts";
import { labelTreeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { Budget } from "../run/run.ts";

/** What a user says of them. */
export interface PseudoLabelOptions {
  /** Predictions in Kaggle's format, of test images: all of them or some. */
  file: string;
  /** Their part of each batch, more than 0 and less than 1. */
  share: number;
  /** How much one of them counts in the loss beside a labelled galaxy, more than 0. */
  weight: number;
  /** The fraction of the steps after which they come in, 0 to 1. */
  from: number;
}

/** Of whatever is not said. */
export const PSEUDO_DEFAULTS = { share: 0.33, weight: 1, from: 0 } as const;

/** Soft labels of test images. */
interface PseudoLabels {
  /** Rows of the test split. */
  images: Uint32Array;
  /** [images, columns] on shared memory, in agreement with the tree. */
  labels: Float32Array;
}

const COPY = "pseudo-labels.csv";

/** The run's own copy. */
export function pseudoLabelsOf(folder: string): string {
  return join(folder, COPY);
}

/** Puts a copy into a run's folder, whole or not at all. */
export function keepPseudoLabels(file: string, folder: string): void {
  const temporary = join(folder, `${COPY}.${process.pid}.tmp`);
  copyFileSync(file, temporary);
  renameSync(temporary, pseudoLabelsOf(folder));
}

/**
 * The batches that the options ask for.
 * @throws CliError where a batch would hold none of either kind, or where minutes are to be divided: the moment in a
 * run by the clock is not known to those who fill batches from their step
 */
export function mixtureOf(
  { batch }: Pick<Recipe, "batch">,
  options: Omit<PseudoLabelOptions, "file"> | undefined,
  budget: Budget,
): Mixture {
  if (!options) return { batch, pseudo: 0, fromStep: 0 };
  const { share, from } = options;
  const pseudo = Math.round(share * batch);
  if (pseudo < 1 || pseudo >= batch)
    throw new CliError(
      `train: expected a share that is at least one image of a batch of ${batch}, and not all, for --pseudo-share but got ${share}`,
    );
  if ("minutes" in budget && from > 0)
    throw new CliError(
      `train: expected a budget of --steps for --pseudo-from ${from} but got ${budget.minutes} minutes`,
    );
  return { batch, pseudo, fromStep: "steps" in budget ? Math.ceil(from * budget.steps) : 0 };
}

/**
 * Reads the labels of test images.
 * @throws with file and row where an id is not of the test images, a value is not in 0..1, or the CSV is none
 */
export async function readPseudoLabels(
  file: string,
  { testIds, trainIds, name }: Pick<Dataset, "testIds" | "trainIds" | "name">,
  recipe: Recipe,
): Promise<PseudoLabels> {
  if (!existsSync(file))
    throw new CliError(`train: expected predictions for --pseudo-labels but ${file} is not there`);
  const tree = labelTreeOf(recipe);
  const columns = columnsOf(tree);
  const { ids, values } = await readPredictions(file, { columns });
  if (ids.length === 0)
    throw new CliError(`train: expected predictions for --pseudo-labels but ${file} has no rows`);
  const rows = new Map(testIds.map((id, row) => [id, row]));
  const images = Uint32Array.from(ids, (id, i) => {
    const row = rows.get(id);
    if (row !== undefined) return row;
    const instead = trainIds.includes(id) ? "one that has labels" : "of none of its images";
    throw new CliError(
      `train: expected ids of ${name}'s test images in ${file} but row ${i + 2} is ${id}, ${instead}`,
    );
  });
  const wrong = values.findIndex((value) => !(value >= -ROUNDING && value <= 1 + ROUNDING));
  if (wrong >= 0)
    throw new CliError(
      `train: expected fractions from 0 to 1 in ${file} but row ${Math.floor(wrong / columns.length) + 2} has ${values[wrong]} for ${columns[wrong % columns.length]}`,
    );
  const labels = new Float32Array(new SharedArrayBuffer(values.byteLength));
  labels.set(values);
  agreeWithTree(labels, tree);
  return { images, labels };
}

/** What sums of float32 may be off by. */
const ROUNDING = 1e-4;

/**
 * Scales the answers of each question so that they add up to those it hangs from: blends whose weights differ from
 * question to question do not. Answers that are all 0 stay so.
 */
function agreeWithTree(labels: Float32Array, tree: QuestionTree): void {
  const columns = columnsOf(tree);
  const places = (names: readonly string[]) => names.map((name) => columns.indexOf(name));
  const questions = tree.map(({ answers, parents = [] }) => [places(answers), places(parents)]);
  for (let row = 0; row < labels.length; row += columns.length) {
    const sum = (of: readonly number[]) => of.reduce((total, k) => total + labels[row + k]!, 0);
    for (const [answers, parents] of questions as [number[], number[]][]) {
      const scale = (parents.length === 0 ? 1 : sum(parents)) / sum(answers);
      if (Number.isFinite(scale)) for (const k of answers) labels[row + k]! *= scale;
    }
  }
}
