/**
 * Everything that a training loop needs, opened in order: data, run folder, backend, network (fresh or from the latest
 * checkpoint), held validation inputs, and the loader.
 */
import { resolve } from "node:path";
import { columnsOf, openDataset } from "@gz/galaxies";
import {
  type BackgroundLoader,
  latestCheckpoint,
  loadCheckpoint,
  type Optimizer,
  restoreCheckpoint,
  type Schedule,
  type WeightAverage,
} from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import type { Mixture } from "../images/order.ts";
import { meanLabel, splitRows } from "../images/split.ts";
import { chooseBackend } from "../machine/backend.ts";
import { initialize } from "../network/initialize.ts";
import { buildNetwork } from "../network/network.ts";
import { putWeights, weightsFrom } from "../network/trained-weights.ts";
import type { ValidationSet } from "../prediction/forward.ts";
import { stepOf } from "../prediction/shards.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { labelTreeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { fingerprintOf } from "../run/origin.ts";
import {
  type Budget,
  createRun,
  openRun,
  type Run,
  type RunInfo,
  updateRunInfo,
} from "../run/run.ts";
import { averageOf, optimizerOf, scheduleOf } from "./from-recipe.ts";
import { openInputs } from "./inputs.ts";
import {
  mixtureOf,
  type PseudoLabelOptions,
  pseudoLabelsOf,
  readPseudoLabels,
} from "./pseudo-labels.ts";
import { checkResumed } from "./resume.ts";

export interface TrainOptions {
  recipe: Recipe;
  /** Path of the data set. */
  data: string;
  /** The run's folder. */
  out: string;
  /** Default: the recipe's steps. A resumed run keeps its own unless another is given. */
  budget?: Budget;
  resume: boolean;
  /** A run, or an exported one, whose weights it starts from; a resumed run keeps its own. */
  from?: string | undefined;
  /** Soft labels of test images to learn from too; a resumed run keeps its own. */
  pseudoLabels?: PseudoLabelOptions | undefined;
  backend: string;
  /** CPU threads of the backend; default: as many as the machine has. */
  threads?: number | undefined;
  seed: number;
  workers: number | undefined;
  /** Save every so many steps; left out, every two minutes. */
  checkpointSteps: number | undefined;
  /** Look where the time of some steps goes, tell it and write it beside the run's checkpoints. */
  profile?: boolean;
  signal: AbortSignal;
}

/** What a checkpoint keeps beside tensors. */
export interface CheckpointMeta {
  recipe: string;
  seed: number;
  /** Best validation RMSE so far; null before the first. */
  best: number | null;
  /** Losses since the last log line: how many, and their sum. */
  window: [count: number, sum: number];
  /** Step with which the clip-only phase ends, 0 without one; older checkpoints do not say. */
  clipSteps?: number;
  /** Training time so far, of runs whose budget is minutes. */
  elapsedMs?: number;
}

export interface TrainingSetup {
  run: Run;
  model: tf.LayersModel;
  optimizer: Optimizer;
  schedule: Schedule;
  average: WeightAverage | undefined;
  /** Steps done before, and what their last checkpoint says. */
  startStep: number;
  meta: CheckpointMeta | undefined;
  validation: ValidationSet;
  loader: BackgroundLoader<"xs" | "ys">;
  /** What its batches are made of. */
  mixture: Mixture;
  gpu: boolean;
  /** Ends the loader and frees the tensors. */
  close(): Promise<void>;
}

export async function setUpTraining(options: TrainOptions): Promise<TrainingSetup> {
  const { data, signal } = options;
  const earlier = options.resume ? openRun(options.out) : undefined;
  const recipe = earlier?.recipe ?? options.recipe;
  const seed = earlier?.info.seed ?? options.seed;
  const tree = labelTreeOf(recipe);
  const dataset = await openDataset(data, dataOptions(recipe));
  if (!dataset.labels) throw new CliError(`train: expected labels in ${data} but found none`);
  const { labels } = dataset;
  const columns = columnsOf(tree).length;
  const rows = splitRows(dataset.trainIds.length);
  if (rows.valid === 0)
    throw new CliError(
      `train: expected at least 10 labelled galaxies in ${data} but got ${dataset.trainIds.length}`,
    );
  const trainedOn = { path: data, ...rows, fingerprint: fingerprintOf(dataset)! };
  const budget = options.budget ?? earlier?.info.budget ?? { steps: recipe.steps };
  const path = earlier && (await latestCheckpoint(earlier.checkpoints));
  if (earlier)
    checkResumed(earlier, { budget, data: trainedOn, done: path === undefined ? 0 : stepOf(path) });
  const kept = earlier?.info.pseudoLabels;
  const pseudo = earlier
    ? kept && { ...kept, file: pseudoLabelsOf(options.out) }
    : options.pseudoLabels;
  const mixture = mixtureOf(recipe, pseudo, budget);
  const soft = pseudo && (await readPseudoLabels(pseudo.file, dataset, recipe));
  const backend = await chooseBackend(backendName(options.backend, earlier), options.threads);

  // Before there is a run: a network that cannot be built, or weights that do not fit it, leave nothing behind.
  const network = buildNetwork(recipe, seed);
  const { model } = network;
  const optimizer = optimizerOf(recipe);
  const schedule = scheduleOf(recipe);
  if (!path) initialize(network, recipe, seed, meanLabel(labels, rows.train, columns));
  const from = path
    ? undefined
    : await startFrom(model, recipe, earlier?.info.from?.path ?? options.from);
  const average = averageOf(recipe, model);
  const start = { data: trainedOn, ...(from && { from }), backend: backend.line };
  const run = earlier
    ? updateRunInfo(earlier, { ...start, budget })
    : createRun(options.out, recipe, {
        formatVersion: 1,
        seed,
        budget,
        ...start,
        ...(soft && {
          pseudoLabels: { ...pseudo, file: resolve(pseudo.file), images: soft.images.length },
        }),
        node: process.version,
        started: new Date().toISOString(),
      });
  say(`${run.name}: recipe ${recipe.name} on ${backend.line}`);
  if (from)
    say(
      `weights of ${from.path} (recipe ${from.recipe}, step ${from.step}), the head ${from.head === "kept" ? "too" : "drawn afresh for other questions"}`,
    );

  if (soft)
    say(
      `pseudo-labels of ${soft.images.length} test images: ${mixture.pseudo} of ${recipe.batch} in a batch from step ${mixture.fromStep} on, each at weight ${pseudo.weight}`,
    );

  const checkpoint = path ? await loadCheckpoint(path) : undefined;
  if (checkpoint) restoreCheckpoint(checkpoint, { model, optimizer, ...(average && { average }) });
  const startStep = checkpoint?.step ?? 0;
  const goingOn = startStep ? `, going on from step ${startStep}` : "";
  say(
    `${model.countParams().toLocaleString("en")} parameters, ${rows.train} galaxies train, ${rows.valid} validate${goingOn}`,
  );

  const { validation, loader } = await openInputs(dataset, {
    recipe,
    seed,
    rows,
    mixture,
    soft,
    startStep,
    workers: options.workers,
    signal,
  });
  return {
    run,
    model,
    optimizer,
    schedule,
    average,
    startStep,
    meta: checkpoint?.meta as CheckpointMeta | undefined,
    validation,
    loader,
    mixture,
    gpu: backend.gpu,
    async close() {
      await loader.close();
      tf.dispose(model.weights.map((weight) => weight.read()));
      optimizer.dispose();
      average?.dispose();
    },
  };
}

/** Puts trained weights into the model, and says for run.json whence they came. */
async function startFrom(
  model: tf.LayersModel,
  recipe: Recipe,
  source: string | undefined,
): Promise<RunInfo["from"]> {
  if (source === undefined) return undefined;
  const weights = await weightsFrom(source);
  const head = putWeights(model, recipe, weights);
  return { path: weights.path, recipe: weights.recipe.name, step: weights.step, head };
}

/** Another backend would round otherwise: a resumed run stays on its own unless one is named. */
function backendName(wanted: string, earlier: Run | undefined): string {
  return wanted === "auto" && earlier ? (earlier.info.backend.split(" ")[0] ?? wanted) : wanted;
}
