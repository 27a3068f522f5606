/** How long members take on this machine, or on a node of a cluster, and how many of them it is best to run side by side. */
import { mkdirSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import type { Measured } from "../machine/measure.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { writeAtomic } from "../run/run.ts";
import type { Caller, EnsembleBudget } from "./budget.ts";
import { lastWords, runChild, threadArgs } from "./child.ts";
import type { MemberList } from "./members.ts";
import { chooseLanes } from "./plan.ts";
import { type SlurmOptions, slurmFlags } from "./slurm/options.ts";

export interface MeasureOptions {
  caller: Caller;
  folder: string;
  data: string;
  backend: string;
  /** Members side by side; left out, what is measured to be fastest. */
  parallel: number | undefined;
  /** Measures by Slurm, where every member has a place of its own. */
  slurm: SlurmOptions | undefined;
  signal: AbortSignal;
}

/** Memory that members side by side may take. */
const MEMORY_SHARE = 0.8;

/**
 * Measures every recipe as members run it, and what they start from with the whole machine; the first member's also with
 * several processes side by side.
 */
export async function measureMembers(
  { members, start }: MemberList,
  budget: EnsembleBudget,
  options: MeasureOptions,
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
  const first = start?.member.recipe;
  const startSpeed =
    !first || costKey(first) === costKey(main)
      ? alone
      : await measure(first, 1, undefined, seconds, options);
  if (!startSpeed) return undefined;
  return {
    lanes,
    threads,
    startSpeed,
    of: (recipe: Recipe): Measured => results.get(costKey(recipe))!,
  };
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
  { caller, folder, data, backend, slurm, signal }: MeasureOptions,
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
