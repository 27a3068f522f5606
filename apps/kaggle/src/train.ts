/**
 * Training of one run, top to bottom: recipe and data in, a run folder out. The loop is at the end of trainRun.
 */
import { COLUMNS, openDataset } from "@gz/galaxies";
import { setDropoutStep, setTreeMode } from "@gz/layers";
import {
  adamw,
  backgroundLoader,
  cosineSchedule,
  latestCheckpoint,
  loadCheckpoint,
  NonFiniteLossError,
  nesterov,
  type Optimizer,
  openMetrics,
  type Phase,
  restoreCheckpoint,
  type Schedule,
  saveCheckpoint,
  trainLoop,
  weightAverage,
} from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { chooseBackend } from "./backend.ts";
import type { BatchWork } from "./batch-worker.ts";
import { CliError } from "./errors.ts";
import { BATCH_WORKER, defaultWorkers, holdValidationSet, validate } from "./evaluate.ts";
import { inputShape } from "./input.ts";
import { buildNetwork, initialize } from "./network.ts";
import { pixelSource } from "./pixels.ts";
import { createProgress, say } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { type Budget, createRun, lockRun, openRun, type Run, updateRunInfo } from "./run.ts";
import { meanLabel, splitRows } from "./split.ts";

export interface TrainOptions {
  recipe: Recipe;
  /** Path of the data set. */
  data: string;
  /** The run's folder. */
  out: string;
  /** Default: the recipe's steps. A resumed run keeps its own unless another is given. */
  budget?: Budget;
  resume: boolean;
  backend: string;
  seed: number;
  workers: number | undefined;
  /** Save every so many steps; left out, every two minutes. */
  checkpointSteps: number | undefined;
  signal: AbortSignal;
}

const CHECKPOINT_MS = 120_000;
const EVALUATIONS = 20;
const EVALUATED_IMAGES = 1024;
const KEPT_CHECKPOINTS = 2;

/** Trains until the budget is spent (`finished`) or the signal asks to stop; the run can go on from there. */
export async function trainRun(options: TrainOptions): Promise<{ run: Run; finished: boolean }> {
  const { out, data, signal } = options;
  const unlock = await lockRun(out);
  try {
    // --- data and run folder -------------------------------------------------------------------------------------
    const dataset = await openDataset(data);
    if (!dataset.labels) throw new CliError(`train: expected labels in ${data} but found none`);
    const columns = COLUMNS.length;
    const rows = splitRows(dataset.trainIds.length);
    if (rows.valid === 0)
      throw new CliError(
        `train: expected at least 10 labelled galaxies in ${data} but got ${dataset.trainIds.length}`,
      );
    const backend = await chooseBackend(options.backend);
    const run = openOrCreate(options, { path: data, ...rows }, backend.line);
    const { recipe, info } = run;
    say(`${run.name}: recipe ${recipe.name} on ${backend.line}`);

    // --- model, optimiser, average ---------------------------------------------------------------------------------
    const network = buildNetwork(recipe, info.seed);
    const { model } = network;
    const optimizer = optimizerOf(recipe);
    const checkpointPath = options.resume ? await latestCheckpoint(run.checkpoints) : undefined;
    if (!checkpointPath)
      initialize(network, recipe, info.seed, meanLabel(dataset.labels, rows.train));
    const average =
      recipe.average === undefined ? undefined : weightAverage(model, { decay: recipe.average });
    let startStep = 0;
    let elapsedBefore = 0;
    let best = Number.POSITIVE_INFINITY;
    const mean = windowMeans();
    if (checkpointPath) {
      const checkpoint = await loadCheckpoint(checkpointPath);
      restoreCheckpoint(checkpoint, { model, optimizer, ...(average && { average }) });
      startStep = checkpoint.step;
      const meta = checkpoint.meta as CheckpointMeta;
      best = meta.best ?? Number.POSITIVE_INFINITY;
      elapsedBefore = meta.elapsedMs ?? 0;
      mean.restore(meta.window);
    }
    say(
      `${model.countParams().toLocaleString("en")} parameters, ${rows.train} galaxies train, ${rows.valid} validate${startStep ? `, going on from step ${startStep}` : ""}`,
    );

    // --- budget ----------------------------------------------------------------------------------------------------
    const { budget } = info;
    const steps = "steps" in budget ? budget.steps : Number.MAX_SAFE_INTEGER;
    let started = performance.now();
    const elapsedMs = () => elapsedBefore + performance.now() - started;
    /** Fraction of the run that is over: of its steps, or of its minutes. */
    const progressAt = (step: number) =>
      "steps" in budget
        ? step / budget.steps
        : Math.min(1, elapsedMs() / (budget.minutes * 60_000));
    const schedule = scheduleOf(recipe);

    // --- input -----------------------------------------------------------------------------------------------------
    const pixels = await pixelSource(dataset, "train", recipe.input.shrink, signal);
    const validCount = Math.min(rows.valid, EVALUATED_IMAGES);
    const validation = await holdValidationSet(
      {
        recipe,
        pixels,
        images: Uint32Array.from({ length: validCount }, (_, i) => rows.train + i),
      },
      dataset.labels.slice(rows.train * columns, (rows.train + validCount) * columns),
    );
    const work: BatchWork = {
      recipe,
      pixels,
      job: {
        kind: "train",
        seed: info.seed,
        rows: rows.train,
        labels: shared(dataset.labels.subarray(0, rows.train * columns)),
      },
    };
    await dataset.close();
    const workers = options.workers ?? defaultWorkers();
    const loader = backgroundLoader({
      worker: BATCH_WORKER,
      workerData: work,
      batch: { xs: inputShape(recipe, recipe.batch), ys: [recipe.batch, columns] },
      workers,
      startStep,
    });

    // --- the loop --------------------------------------------------------------------------------------------------
    const metrics = openMetrics(run.metricsFile, { truncateAfterStep: startStep });
    const progress = createProgress(run.name, 1000);
    let step = startStep;
    let savedAt = performance.now();
    let evaluated = Math.floor(progressAt(startStep) * EVALUATIONS);
    let valid: number | undefined;
    let isBest = false;

    const evaluate = async () => {
      average?.swap();
      valid = await validate(model, validation);
      average?.swap();
      isBest ||= valid < best;
      best = Math.min(best, valid);
      metrics.write({ kind: "valid", step, rmse: valid, seconds: elapsedMs() / 1000 });
    };
    const save = async () => {
      const meta: CheckpointMeta = {
        recipe: recipe.name,
        seed: info.seed,
        best: Number.isFinite(best) ? best : null,
        window: mean.losses(),
        ...("minutes" in budget && { elapsedMs: elapsedMs() }),
      };
      await saveCheckpoint(run.checkpoints, {
        step,
        model,
        optimizer,
        ...(average && { average }),
        meta,
        keep: KEPT_CHECKPOINTS,
        best: isBest,
      });
      isBest = false;
      savedAt = performance.now();
    };

    started = performance.now(); // the clock of a budget in minutes runs while it trains
    let finished = progressAt(step) >= 1;
    if (!finished && startStep === 0) await save();
    try {
      const training = trainLoop(model, loader, {
        optimizer,
        schedule: (at) => schedule({ ...at, progress: progressAt(at.step) }),
        lossFn: (ys, predictions) =>
          tf.losses.meanSquaredError(ys as tf.Tensor, predictions as tf.Tensor),
        phases: phasesOf(recipe, steps),
        steps,
        startStep,
        readLossEvery: backend.gpu ? LOG_EVERY : 1,
        beforeStep: (at) => setDropoutStep(model, at),
      });
      for await (const trained of finished ? [] : training) {
        step = trained.step;
        average?.update();
        mean.add(trained);
        const done = progressAt(step);
        finished = done >= 1;

        if (step % LOG_EVERY === 0 || finished) {
          const { stepMs, dataWaitMs, rmse } = mean.take();
          const { learningRate, phase } = trained;
          const rssMb = Math.round(process.memoryUsage.rss() / 1e6);
          metrics.write({
            kind: "train",
            step,
            rmse,
            learningRate,
            phase,
            stepMs,
            dataWaitMs,
            rssMb,
            seconds: elapsedMs() / 1000,
          });
          progress.update(
            Math.floor(done * 1000),
            `step ${step} · rmse ${rmse.toFixed(4)}${valid === undefined ? "" : ` · valid ${valid.toFixed(4)}`} · ${stepMs.toFixed(0)} ms (${dataWaitMs.toFixed(1)} waiting)`,
          );
        }
        if (finished || Math.floor(done * EVALUATIONS) > evaluated) {
          evaluated = Math.floor(done * EVALUATIONS);
          await evaluate();
        }
        const { checkpointSteps } = options;
        const due = checkpointSteps
          ? step % checkpointSteps === 0
          : performance.now() - savedAt > CHECKPOINT_MS;
        if (finished || isBest || due || signal.aborted) await save();
        if (finished || signal.aborted) break;
      }
    } catch (error) {
      if (error instanceof NonFiniteLossError) throw new CliError(diverged(run, error));
      throw error;
    } finally {
      progress.stop();
      metrics.close();
      await loader.close();
      tf.dispose(model.weights.map((weight) => weight.read()));
      optimizer.dispose();
      average?.dispose();
    }
    say(
      finished
        ? `${run.name}: trained ${step} steps in ${(elapsedMs() / 60_000).toFixed(1)} min${valid === undefined ? "" : `, validation RMSE ${valid.toFixed(4)}`}`
        : `${run.name}: saved at step ${step}; go on with: npm run kaggle -- train --out ${out} --resume`,
    );
    return { run, finished };
  } finally {
    await unlock();
  }
}

/** Steps between log lines; a GPU's loss is read back only then, so that the host need not wait for it. */
const LOG_EVERY = 10;

interface CheckpointMeta {
  recipe: string;
  seed: number;
  /** Best validation RMSE so far; null before the first. */
  best: number | null;
  /** Losses since the last log line: how many, and their sum. */
  window: [count: number, sum: number];
  /** Training time so far, of runs whose budget is minutes. */
  elapsedMs?: number;
}

function openOrCreate(options: TrainOptions, data: Run["info"]["data"], backend: string): Run {
  const { out, recipe, seed, budget, resume } = options;
  if (resume) {
    const run = openRun(out);
    if (run.info.data.train !== data.train || run.info.data.valid !== data.valid)
      throw new CliError(
        `train: expected the ${run.info.data.train} + ${run.info.data.valid} galaxies that ${out} was started with but ${data.path} has ${data.train} + ${data.valid}`,
      );
    return updateRunInfo(run, { data, backend, ...(budget && { budget }) });
  }
  return createRun(out, recipe, {
    formatVersion: 1,
    seed,
    budget: budget ?? { steps: recipe.steps },
    data,
    backend,
    node: process.version,
    started: new Date().toISOString(),
  });
}

function optimizerOf({ optimizer }: Recipe): Optimizer {
  return optimizer.kind === "nesterov"
    ? nesterov({ momentum: optimizer.momentum })
    : adamw({ weightDecay: optimizer.weightDecay });
}

/** The recipe's learning rate over the fraction of the run that is over. */
function scheduleOf({ schedule }: Recipe): Schedule {
  if (schedule.kind === "cosine") return cosineSchedule(schedule);
  return ({ progress }) => schedule.rates.findLast(([start]) => start <= progress)![1];
}

/** Clip-only first, then the tree with velocity afresh; a budget shorter than the recipe shortens the first phase. */
function phasesOf({ output, steps: full }: Recipe, steps: number): Phase[] {
  const normal: Phase = {
    fromStep: 0,
    name: "normal",
    enter: (model) => setTreeMode(model, "normal"),
  };
  const planned = Math.min(steps, full);
  // The winner's 625 of 1,562,500 steps is less than any short run needs; a fifth is the most it may take.
  const clipSteps = Math.min(output.clipSteps, Math.floor(planned / 5));
  if (clipSteps === 0) return [normal];
  return [
    { fromStep: 0, name: "clip", enter: (model) => setTreeMode(model, "clip") },
    { ...normal, fromStep: clipSteps, resetOptimizer: true },
  ];
}

/** Means since the last log line; rmse is the root of the batches' mean squared errors that were read. */
function windowMeans() {
  let steps = 0;
  let stepMs = 0;
  let dataWaitMs = 0;
  let losses = 0;
  let loss = 0;
  return {
    /** What a checkpoint between two log lines has to keep. */
    losses: (): [number, number] => [losses, loss],
    restore([count, sum]: readonly [number, number]) {
      losses = count;
      loss = sum;
    },
    add(trained: { stepMs: number; dataWaitMs: number; loss: number | undefined }) {
      steps++;
      stepMs += trained.stepMs;
      dataWaitMs += trained.dataWaitMs;
      if (trained.loss !== undefined) {
        losses++;
        loss += trained.loss;
      }
    },
    take() {
      const means = {
        stepMs: stepMs / steps,
        dataWaitMs: dataWaitMs / steps,
        rmse: Math.sqrt(loss / losses),
      };
      steps = stepMs = dataWaitMs = losses = loss = 0;
      return means;
    },
  };
}

/** A copy on shared memory, which all workers read. */
function shared(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

function diverged(run: Run, { step }: NonFiniteLossError): string {
  return `train: the loss is no longer finite at step ${step}; the last good checkpoint is in ${run.checkpoints}. Try a lower learning rate (schedule), or go on from there with another --seed`;
}
