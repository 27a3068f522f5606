/** From what a person asks to a plan in a folder: data opened and decoded, recipes measured, the budget divided. */
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { Draw } from "@gz/augment";
import { openDataset, pixelCacheSize } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import { splitRows } from "../images/split.ts";
import type { Measured } from "../machine/measure.ts";
import { SHARD_SIZE } from "../prediction/predict.ts";
import { dataOptions } from "../recipe/data-options.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { writeAtomic } from "../run/run.ts";
import { type Caller, type EnsembleBudget, parseBudget } from "./budget.ts";
import { lastWords, runChild, threadArgs } from "./child.ts";
import { decodeFor, imageSplits } from "./decode.ts";
import { describePlan } from "./describe-plan.ts";
import type { EnsembleFile } from "./folder.ts";
import { loadEnsemble, type Member } from "./members.ts";
import { chooseLanes, planEnsemble } from "./plan.ts";
import { type SlurmOptions, slurmFlags } from "./slurm/options.ts";

export interface PrepareOptions {
  caller: Caller;
  folder: string;
  data: string;
  budget: string;
  backend: string;
  /** Members side by side; left out, what is measured to be fastest. */
  parallel: number | undefined;
  shardSize: number | undefined;
  /** Measures by Slurm, where every member has a place of its own. */
  slurm: SlurmOptions | undefined;
  /** What is predicted; left out, validation and test. */
  splits?: readonly Predicted[];
  /** What predictions are averaged over; left out, as many of the winner's 60 transforms as the budget has room for. */
  transforms?: readonly Draw[];
  /** performance.now() when the budget began. */
  started: number;
  signal: AbortSignal;
}

type Predicted = keyof EnsembleFile["galaxies"];

/** Memory that members side by side may take. */
const MEMORY_SHARE = 0.8;

/** A plan, for plan.json, and its description; undefined when interrupted. */
type Prepared = { file: EnsembleFile; lines: string[] } | undefined;

/** The plan of a named ensemble: left out, the winner's for budgets a model, else the small one. */
export async function prepareEnsemble(
  members: string | undefined,
  options: PrepareOptions,
): Promise<Prepared> {
  const budget = parseBudget(options.caller, options.budget);
  if (options.slurm && budget.kind === "total")
    throw new CliError(
      `reproduce: expected 67h-per-model, 2000-steps or full for --budget with --slurm, since nobody knows how long a queue takes, but got ${options.budget}`,
    );
  const named = members ?? (budget.kind === "total" ? "small" : "winner");
  return prepareMembers(loadEnsemble(named), named, options);
}

/** The plan of these members, `named` as plan.json keeps it. */
export async function prepareMembers(
  members: readonly Member[],
  named: string,
  options: PrepareOptions,
): Promise<Prepared> {
  const { caller, folder, data, signal, splits = ["valid", "test"] } = options;
  const budget = parseBudget(caller, options.budget);
  const { galaxies, cacheBytes } = await survey(caller, data, members, splits);

  if (!(await decodeFor(members, data, galaxies, signal))) return undefined;
  const measured = await measureMembers(members, budget, options);
  if (!measured) return undefined;
  const { lanes, threads, of } = measured;
  const plan = planEnsemble({
    members,
    budget,
    speeds: members.map(({ recipe }) => of(recipe)),
    lanes,
    galaxies,
    cacheBytes,
    transforms: options.transforms,
    caller,
    spentSeconds: (performance.now() - options.started) / 1000,
  });
  const { backend } = of(members[0]!.recipe);
  const freeBytes = await statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
  return {
    file: {
      formatVersion: 1,
      budget: options.budget,
      members: named,
      data,
      galaxies,
      backend: backend.split(" ")[0]!,
      // Whoever goes on without Slurm has one machine.
      lanes: options.slurm ? 1 : lanes,
      ...(threads && { threads }),
      transforms: plan.transforms,
      shardSize: options.shardSize ?? SHARD_SIZE,
      planned: plan.members,
    },
    lines: describePlan(plan, { freeBytes, backend, cluster: options.slurm !== undefined }),
  };
}

/** What is to be predicted, and what its decoded pixels take. */
async function survey(
  caller: Caller,
  data: string,
  members: readonly Member[],
  splits: readonly Predicted[],
) {
  const dataset = await openDataset(data, dataOptions(members[0]!.recipe));
  try {
    const { valid } = splitRows(dataset.trainIds.length);
    if (!dataset.labels || valid === 0)
      throw new CliError(
        `${caller}: expected at least 10 labelled galaxies in ${data} but got ${dataset.labels ? dataset.trainIds.length : 0}`,
      );
    const galaxies = {
      valid: splits.includes("valid") ? valid : 0,
      test: splits.includes("test") ? dataset.testIds.length : 0,
    };
    let cacheBytes = 0;
    for (const shrink of new Set(members.map(({ recipe }) => recipe.input.shrink)))
      for (const split of imageSplits(galaxies))
        if (shrink > 1) cacheBytes += pixelCacheSize(dataset, split, { shrink });
    return { galaxies, cacheBytes };
  } finally {
    await dataset.close();
  }
}

/** Measures every recipe, the most frequent one also with several processes side by side. */
async function measureMembers(
  members: readonly Member[],
  budget: EnsembleBudget,
  options: PrepareOptions,
) {
  const cores = availableParallelism();
  const recipes = new Map<string, Recipe>();
  for (const { recipe } of members) recipes.set(costKey(recipe), recipe);
  const seconds = budget.kind === "total" ? Math.min(5, Math.max(1, budget.minutes * 0.2)) : 2;
  say(
    `measuring ${[...recipes.values()].map(({ name }) => name).join(", ")} on ${options.slurm ? "a node of the cluster" : "this machine"}, some seconds each`,
  );
  const main = members[0]!.recipe;
  const alone = await measure(main, 1, undefined, seconds, options);
  if (!alone) return undefined;
  const results = new Map<string, Measured>([[costKey(main), alone]]);

  const asked = options.parallel && Math.min(options.parallel, members.length);
  let lanes = options.slurm ? members.length : (asked ?? 1);
  if (!options.slurm) {
    const most = Math.min(members.length, cores);
    const guesses = alone.gpu ? [] : [...new Set([Math.ceil(most / 2), most])];
    const tried = [{ ...alone, lanes: 1 }];
    for (const count of (asked ? [asked] : guesses).filter((count) => count > 1)) {
      const each = await measure(main, count, threadsOf(cores, count), seconds, options);
      if (!each) return undefined;
      tried.push({ ...each, lanes: count });
    }
    lanes = asked ?? chooseLanes(members.length, tried, MEMORY_SHARE * totalmem());
    results.set(costKey(main), tried.find((one) => one.lanes === lanes) ?? alone);
  }
  const threads = lanes > 1 && !options.slurm ? threadsOf(cores, lanes) : undefined;
  for (const [key, recipe] of recipes) {
    if (results.has(key)) continue;
    const one = await measure(recipe, options.slurm ? 1 : lanes, threads, seconds, options);
    if (!one) return undefined;
    results.set(key, one);
  }
  return { lanes, threads, of: (recipe: Recipe): Measured => results.get(costKey(recipe))! };
}

const threadsOf = (cores: number, lanes: number): number => Math.max(1, Math.floor(cores / lanes));

/** Recipes that cost the same share a measurement. */
function costKey({ input, augment, network, optimizer, batch }: Recipe): string {
  return JSON.stringify([
    input.shrink,
    input.size,
    input.angles.length,
    input.contrast,
    augment.gamma === undefined,
    augment.noise === undefined,
    network,
    optimizer.kind,
    batch,
  ]);
}

/** Means over `lanes` processes that measure at the same time; undefined when interrupted. */
async function measure(
  recipe: Recipe,
  lanes: number,
  threads: number | undefined,
  seconds: number,
  { caller, folder, data, backend, slurm, signal }: PrepareOptions,
): Promise<Measured | undefined> {
  const file = join(folder, "logs", `measure-${recipe.name}.json`);
  mkdirSync(join(folder, "logs"), { recursive: true });
  writeAtomic(file, JSON.stringify(recipe));
  const log = join(folder, "logs", `measure-${recipe.name}.log`);
  const args = [
    ...["doctor", "--recipe", file, "--data", data, "--backend", backend, "--json"],
    ...["--seconds", String(seconds)],
    ...threadArgs(slurm?.cpus ?? threads),
  ];
  const launcher = slurm && ["srun", "--ntasks=1", ...slurmFlags(slurm)];
  const outcomes = await Promise.all(
    Array.from({ length: lanes }, () => runChild({ launcher, args, log, signal })),
  );
  if (signal.aborted) return undefined;
  if (outcomes.some(({ code }) => code !== 0))
    throw new CliError(`${caller}: ${recipe.name} cannot be measured: ${lastWords(log)}`);
  const all = outcomes.map(({ stdout }) => JSON.parse(stdout) as Measured);
  const mean = (of: (one: Measured) => number) =>
    all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return {
    ...all[0]!,
    stepMs: mean(({ stepMs }) => stepMs),
    predictMs: mean(({ predictMs }) => predictMs),
    startSeconds: mean(({ startSeconds }) => startSeconds),
    memoryBytes: mean(({ memoryBytes }) => memoryBytes),
  };
}
