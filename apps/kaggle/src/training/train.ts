/** Training of one run: the loop, top to bottom. setup.ts opens what it needs. */
import { setDropoutStep, setTreeMode } from "@gz/layers";
import {
  NonFiniteLossError,
  openMetrics,
  saveCheckpoint,
  type TrainedStep,
  trainLoop,
} from "@gz/train";
import { CliError } from "../cli/errors.ts";
import { createProgress, say } from "../cli/progress.ts";
import { mixedBatch } from "../images/order.ts";
import { validate } from "../prediction/forward.ts";
import { treeOf } from "../recipe/question-tree.ts";
import { lockRun } from "../run/lock.ts";
import type { Run } from "../run/run.ts";
import { trainingClock, VALIDATION_SHARE, windowMeans } from "./clock.ts";
import { constraintsOf, endClip, phasesOf } from "./from-recipe.ts";
import { trainingLoss } from "./loss.ts";
import { createProfiler, type Profile } from "./profile.ts";
import { reportProfile } from "./profile-report.ts";
import {
  type CheckpointMeta,
  setUpTraining,
  type TrainingSetup,
  type TrainOptions,
} from "./setup.ts";

/** Steps between log lines; a GPU's loss is read back only then, and at the end, so that the host need not wait for it. */
const LOG_EVERY = 10;
/** Validations in a run; fewer where they would come more often than every 25 steps. */
const EVALUATIONS = 20;
const STEPS_BETWEEN = 25;
const CHECKPOINT_MS = 120_000;
const KEPT_CHECKPOINTS = 2;

/** Trains until the budget is spent (`finished`) or the signal asks to stop; the run can go on from there. */
export async function trainRun(options: TrainOptions): Promise<{ run: Run; finished: boolean }> {
  const unlock = await lockRun(options.out);
  try {
    const setup = await setUpTraining(options);
    try {
      return { run: setup.run, finished: await train(setup, options) };
    } catch (error) {
      if (error instanceof NonFiniteLossError) throw new CliError(diverged(setup.run, error));
      throw error;
    } finally {
      await setup.close();
    }
  } finally {
    await unlock();
  }
}

async function train(setup: TrainingSetup, options: TrainOptions): Promise<boolean> {
  const { run, model, optimizer, schedule, average, validation, mixture, startStep, meta } = setup;
  const { recipe, info } = run;
  const { signal, checkpointSteps } = options;
  const clock = trainingClock(info.budget, meta?.elapsedMs ?? 0);
  const steps = "steps" in info.budget ? info.budget.steps : Number.MAX_SAFE_INTEGER;
  const evaluations = Math.min(EVALUATIONS, Math.ceil(steps / STEPS_BETWEEN));
  const phases = phasesOf(recipe, steps, {
    trainedHead: info.from?.head === "kept",
    clipSteps: meta?.clipSteps,
  });
  const constrain = constraintsOf(recipe);
  const loss = trainingLoss(recipe.output, treeOf(recipe), {
    pseudoWeight: info.pseudoLabels?.weight,
  });
  const window = windowMeans(meta?.window);
  const metrics = openMetrics(run.metricsFile, { truncateAfterStep: startStep });
  const progress = createProgress(run.name, 1000);
  let step = startStep;
  let best = meta?.best ?? Number.POSITIVE_INFINITY;
  let isBest = false;
  let valid: number | undefined;
  let evaluated = Math.floor(clock.progressAt(step) * evaluations);
  let evaluatedAt = 0; // milliseconds of training time, as is what it took
  let evaluationMs = 0;
  let savedAt = performance.now();

  const seconds = () => clock.elapsedMs() / 1000;
  const log = ({ learningRate, phase }: TrainedStep, done: number) => {
    const { stepMs, dataWaitMs, rmse } = window.take();
    const rssMb = Math.round(process.memoryUsage.rss() / 1e6);
    const times = { stepMs, dataWaitMs, rssMb, seconds: seconds() };
    metrics.write({ kind: "train", step, rmse, learningRate, phase, ...times });
    const score = valid === undefined ? "" : ` · valid ${valid.toFixed(4)}`;
    progress.update(
      Math.floor(done * 1000),
      `step ${step} · rmse ${rmse.toFixed(4)}${score} · ${stepMs.toFixed(0)} ms (${dataWaitMs.toFixed(1)} waiting)`,
    );
  };
  /** Whether another validation would take more than its share; runs of steps do the same on every machine. */
  const tooSoon = () =>
    "minutes" in info.budget && evaluationMs > VALIDATION_SHARE * (clock.elapsedMs() - evaluatedAt);
  const evaluate = async ({ phase }: TrainedStep) => {
    const start = clock.elapsedMs();
    average?.swap();
    setTreeMode(model, "normal"); // as the run predicts, whatever it trains
    valid = await validate(model, validation);
    if (phase === "clip") setTreeMode(model, "clip");
    average?.swap();
    isBest ||= valid < best;
    best = Math.min(best, valid);
    metrics.write({ kind: "valid", step, rmse: valid, seconds: seconds() });
    evaluatedAt = clock.elapsedMs();
    evaluationMs = evaluatedAt - start;
  };
  const save = async () => {
    const kept: CheckpointMeta = {
      recipe: recipe.name,
      seed: info.seed,
      best: Number.isFinite(best) ? best : null,
      window: window.kept(),
      clipSteps: phases.at(-1)!.fromStep,
      ...("minutes" in info.budget && { elapsedMs: clock.elapsedMs() }),
    };
    await saveCheckpoint(run.checkpoints, {
      step,
      model,
      optimizer,
      ...(average && { average }),
      meta: kept,
      keep: KEPT_CHECKPOINTS,
      best: isBest,
    });
    isBest = false;
    savedAt = performance.now();
  };

  const profiler = options.profile ? createProfiler() : undefined;
  const report = (profile: Profile | undefined) => {
    if (profile) for (const line of reportProfile(profile, run, setup)) progress.line(line);
  };

  let finished = clock.progressAt(step) >= 1;
  if (startStep === 0) await save(); // a run that diverges at once has something to go back to
  clock.start();
  try {
    const training = trainLoop(model, finished ? [] : setup.loader, {
      optimizer,
      schedule: (at) => schedule({ ...at, progress: clock.progressAt(at.step) }),
      lossFn: loss.lossFn,
      phases,
      steps,
      startStep,
      readLossEvery: setup.gpu ? LOG_EVERY : 1,
      // A graph keeps how many rows of a batch have labels; a profile shows operations.
      compile: (mixture.pseudo === 0 || mixture.fromStep === 0) && !profiler,
      beforeStep(at) {
        setDropoutStep(model, at);
        loss.setLabelled(mixedBatch(mixture, at).labelled);
      },
      ...(profiler && { onStage: profiler.onStage }),
    });
    for await (const trained of training) {
      step = trained.step;
      report(profiler?.stepDone());
      constrain(model, step);
      average?.update();
      const done = clock.progressAt(step);
      finished = done >= 1;
      endClip(phases, step, done);
      const isRead = trained.loss !== undefined || finished;
      window.add(trained, isRead ? await loss.squaredError() : undefined);

      if (step % LOG_EVERY === 0 || finished) log(trained, done);
      if (finished || (Math.floor(done * evaluations) > evaluated && !tooSoon())) {
        evaluated = Math.floor(done * evaluations);
        await evaluate(trained);
      }
      const due = checkpointSteps
        ? step % checkpointSteps === 0
        : performance.now() - savedAt > CHECKPOINT_MS;
      if (finished || isBest || due || signal.aborted) await save();
      if (finished || signal.aborted) break;
    }
    report(profiler?.end());
  } finally {
    profiler?.end();
    progress.stop();
    metrics.close();
    loss.dispose();
  }
  const score = valid === undefined ? "" : `, validation RMSE ${valid.toFixed(4)}`;
  say(
    finished
      ? `${run.name}: trained ${step} steps in ${(seconds() / 60).toFixed(1)} min${score}`
      : `${run.name}: saved at step ${step}; go on with: npm run kaggle -- train --out ${options.out} --resume`,
  );
  return finished;
}

function diverged(run: Run, { step }: NonFiniteLossError): string {
  return `train: the loss is no longer finite at step ${step}; the last good checkpoint is in ${run.checkpoints}. Try a lower learning rate: a recipe of { "extends": "${run.recipe.name}", "schedule": … }`;
}
