/**
 * A member's predictions: every image of a split under every transform, averaged, one row a galaxy.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Draw, identityDraw } from "@gz/augment";
import { createMean, transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import { openDataset, writePredictions } from "@gz/galaxies";
import { latestCheckpoint, loadCheckpoint, restoreCheckpoint, weightAverage } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import * as v from "valibot";
import { chooseBackend } from "./backend.ts";
import { CliError } from "./errors.ts";
import { forward } from "./evaluate.ts";
import { buildNetwork } from "./network.ts";
import { pixelSource } from "./pixels.ts";
import { createProgress, say } from "./progress.ts";
import { columnsOfRecipe, labelTreeOf } from "./question-tree.ts";
import { openRun, type Run } from "./run.ts";
import { splitRows } from "./split.ts";

export type PredictedSplit = "valid" | "test" | "all";

export interface PredictOptions {
  /** The run's folder. */
  run: string;
  data: string;
  split: PredictedSplit;
  transforms: readonly Draw[];
  /** Left out: predictions/SPLIT.csv of the run, one file for each split. */
  out?: string | undefined;
  backend: string;
  workers: number | undefined;
  signal: AbortSignal;
}

/** Predicts and writes; returns the files. `SPLIT.single.csv` beside each is the untransformed view's prediction. */
export async function predictRun(options: PredictOptions): Promise<string[]> {
  const run = openRun(options.run);
  const columns = columnsOfRecipe(run.recipe);
  const dataset = await openDataset(options.data, { tree: labelTreeOf(run.recipe) });
  const backend = await chooseBackend(options.backend);
  const model = await loadModel(run);
  say(`${run.name}: ${options.transforms.length} transforms on ${backend.line}`);
  const { train, valid } = splitRows(dataset.trainIds.length);
  const parts = {
    valid: {
      from: "train" as const,
      ids: dataset.trainIds.slice(train),
      first: train,
      count: valid,
    },
    test: { from: "test" as const, ids: dataset.testIds, first: 0, count: dataset.testIds.length },
  };
  const wanted =
    options.split === "all" ? (["valid", "test"] as const) : ([options.split] as const);
  const files = new Map<string, Rows>();
  const rowsOf = (file: string) => {
    const rows = files.get(file) ?? { ids: [], values: [] };
    files.set(file, rows);
    return rows;
  };
  const identity = options.transforms.findIndex(isIdentity);
  try {
    for (const split of wanted) {
      const { from, ids, first, count } = parts[split];
      if (count === 0)
        throw new CliError(`predict: expected ${split} images in ${options.data} but found none`);
      const file = options.out ?? join(run.predictions, `${split}.csv`);
      const means = rowsOf(file);
      const singles =
        identity >= 0 && options.transforms.length > 1
          ? rowsOf(file.replace(/(\.csv)?$/, ".single.csv"))
          : undefined;
      const progress = createProgress(`${run.name} ${split}`, count);
      const outputs = forward({
        model,
        recipe: run.recipe,
        pixels: await pixelSource(dataset, from, run.recipe.input.shrink, options.signal),
        images: Uint32Array.from({ length: count }, (_, k) => first + k),
        transforms: options.transforms,
        ...(options.workers && { workers: options.workers }),
        signal: options.signal,
      });
      for await (const { index, outputs: all } of outputs) {
        const mean = createMean(columns.length);
        const under = (t: number) => all.subarray(t * columns.length, (t + 1) * columns.length);
        for (let t = 0; t < options.transforms.length; t++) mean.add(under(t));
        add(means, ids[index]!, mean.value());
        if (singles) add(singles, ids[index]!, under(identity));
        progress.update(index + 1);
      }
      progress.stop();
      if (options.signal.aborted) throw new CliError("predict: stopped; nothing was written", 130);
    }
    for (const [file, { ids, values }] of files) {
      mkdirSync(dirname(file), { recursive: true });
      await writePredictions(file, ids, Float32Array.from(values), { columns });
    }
  } finally {
    await dataset.close();
    tf.dispose(model.weights.map((weight) => weight.read()));
  }
  return [...files.keys()];
}

/** What one file will hold; written sorted by id, as Kaggle wants it. */
interface Rows {
  ids: number[];
  values: number[];
}

function add({ ids, values }: Rows, id: number, row: Float32Array): void {
  ids.push(id);
  values.push(...row);
}

/** The model of the run's latest checkpoint, with the moving average of the weights where the recipe keeps one. */
async function loadModel(run: Run): Promise<tf.LayersModel> {
  const path = await latestCheckpoint(run.checkpoints);
  if (!path) throw new CliError(`predict: ${run.folder} has no checkpoint yet; train it first`);
  const { model } = buildNetwork(run.recipe, run.info.seed);
  const checkpoint = await loadCheckpoint(path);
  const average = checkpoint.average && weightAverage(model);
  restoreCheckpoint(checkpoint, { model, ...(average && { average }) });
  average?.swap();
  average?.dispose();
  return model;
}

function isIdentity({ zoom, rotation, shear, translation, flip }: Draw): boolean {
  return zoom === 1 && rotation === 0 && shear === 0 && translation.every((t) => t === 0) && !flip;
}

const grid = v.strictObject({
  zooms: v.optional(v.array(v.number())),
  rotations: v.optional(v.array(v.number())),
  flips: v.optional(v.array(v.boolean())),
  translations: v.optional(v.array(v.tuple([v.number(), v.number()]))),
});

/** "60" (the winner's), "1" (none), or a JSON file: { zooms, rotations, flips, translations }, every combination. */
export function readTransforms(value: string): readonly Draw[] {
  if (value === "60") return WINNER_TRANSFORMS;
  if (value === "1") return [identityDraw];
  if (!existsSync(value))
    throw new CliError(`predict: expected 60, 1 or a JSON file for --transforms but got ${value}`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(value, "utf8"));
  } catch (error) {
    throw new CliError(`predict: ${value} is not JSON: ${(error as Error).message}`);
  }
  const result = v.safeParse(grid, content);
  if (!result.success) {
    const issue = result.issues[0];
    throw new CliError(
      `predict: expected ${issue.expected} for ${v.getDotPath(issue) ?? "the grid"} in ${value} but got ${issue.received}`,
    );
  }
  const { zooms, rotations, flips, translations } = result.output;
  return transforms({
    ...(zooms && { zooms }),
    ...(rotations && { rotations }),
    ...(flips && { flips }),
    ...(translations && { translations }),
  });
}
