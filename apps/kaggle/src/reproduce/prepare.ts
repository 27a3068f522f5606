/** From what a person asks to a plan in a folder: data opened and decoded, recipes measured, the budget divided. */
import { statfs } from "node:fs/promises";
import type { Draw } from "@gz/augment";
import { openDataset, pixelCacheSize } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { splitRows } from "../images/split.ts";
import { SHARD_SIZE } from "../prediction/predict.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { type Caller, parseBudget } from "./budget.ts";
import { decodeFor, imageSplits } from "./decode.ts";
import { describePlan } from "./describe-plan.ts";
import type { EnsembleFile } from "./folder.ts";
import { type MeasureOptions, measureMembers } from "./measure-members.ts";
import { loadEnsemble, type Member, type MemberList } from "./members.ts";
import { planEnsemble } from "./plan.ts";

export interface PrepareOptions extends MeasureOptions {
  budget: string;
  shardSize: number | undefined;
  /** What is predicted; left out, validation and test. */
  splits?: readonly Predicted[];
  /** What predictions are averaged over; left out, as many of the winner's 60 transforms as the budget has room for. */
  transforms?: readonly Draw[];
  /** performance.now() when the budget began. */
  started: number;
}

type Predicted = keyof EnsembleFile["galaxies"];

/** A plan, for plan.json, and its description; undefined when interrupted. */
type Prepared = { file: EnsembleFile; lines: string[]; gpu: boolean } | undefined;

/**
 * On CPUs a budget in all that gives members of `small` fewer steps than this is left to the narrower networks of `brief`,
 * which make up to twice as many and were better wherever that was measured: docs/experiments/sizes.md. A GPU is not filled
 * by either.
 */
const BRIEF_BELOW = 25_000;

/** The plan of a named ensemble: left out, the winner's for budgets a model, else `small`, or `brief`. */
export async function prepareEnsemble(
  members: string | undefined,
  options: PrepareOptions,
): Promise<Prepared> {
  const budget = parseBudget(options.caller, options.budget);
  if (options.slurm && budget.kind === "total")
    throw new CliError(
      `reproduce: expected 67h-per-model, 2000-steps or full for --budget with --slurm, since nobody knows how long a queue takes, but got ${options.budget}`,
    );
  const plan = (named: string) => prepareMembers(loadEnsemble(named), named, options);
  if (members !== undefined || budget.kind !== "total") return plan(members ?? "winner");
  const small = await plan("small");
  if (!small || small.gpu) return small;
  const steps = fewestSteps(small.file);
  if (steps >= BRIEF_BELOW) return small;
  const brief = await plan("brief");
  const why = `  brief in place of small, whose members would see about ${steps.toLocaleString("en")} steps: below ${BRIEF_BELOW.toLocaleString("en")} narrower networks do better`;
  return brief && { ...brief, lines: [...brief.lines, why] };
}

/** Of a member, with those of what it goes on from. */
function fewestSteps({ start, planned }: EnsembleFile): number {
  return (start?.steps ?? 0) + Math.min(...planned.map(({ steps }) => steps));
}

/** The plan of these members, `named` as plan.json keeps it. */
export async function prepareMembers(
  list: MemberList,
  named: string,
  options: PrepareOptions,
): Promise<Prepared> {
  const { caller, folder, data, signal, splits = ["valid", "test"] } = options;
  const { members, start } = list;
  const budget = parseBudget(caller, options.budget);
  const all = start ? [start.member, ...members] : members;
  const { galaxies, cacheBytes } = await survey(caller, data, all, splits);

  if (!(await decodeFor(all, data, galaxies, signal))) return undefined;
  const measured = await measureMembers(list, budget, options);
  if (!measured) return undefined;
  const { lanes, threads, startSpeed, of } = measured;
  const plan = planEnsemble({
    members,
    start: start && { ...start, speed: startSpeed },
    budget,
    speeds: members.map(({ recipe }) => of(recipe)),
    lanes,
    galaxies,
    cacheBytes,
    transforms: options.transforms,
    caller,
    spentSeconds: (performance.now() - options.started) / 1000,
  });
  const { backend, gpu } = of(members[0]!.recipe);
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
      ...(plan.start && { start: plan.start }),
    },
    lines: describePlan(plan, { freeBytes, backend, cluster: options.slurm !== undefined }),
    gpu,
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
