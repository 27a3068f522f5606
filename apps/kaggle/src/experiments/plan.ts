/** Experiments in a folder of an ensemble's shape: each variant and seed a member, trained and predicted by the same jobs. */
import { identityDraw } from "@gz/augment";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import { parseBudget } from "../reproduce/budget.ts";
import {
  createEnsemble,
  type Ensemble,
  hasEnsemble,
  isStarted,
  openEnsemble,
} from "../reproduce/folder.ts";
import type { Member } from "../reproduce/members.ts";
import { prepareMembers } from "../reproduce/prepare.ts";
import type { Experiments } from "./experiments-file.ts";

interface PlanExperimentsOptions {
  folder: string;
  data: string;
  /** Of each run: 2000-steps, 5m-per-model; or of all together: 3h. */
  budget: string;
  /** Seeds 1 to so many. */
  seeds: number;
  backend: string;
  parallel: number | undefined;
  /** performance.now() when a budget in all began. */
  started: number;
  signal: AbortSignal;
}

interface PlannedExperiments {
  /** The folder's ensemble, with what it lacked. */
  begin(): Ensemble;
  /** The plan in words; empty where an earlier one stands. */
  lines: string[];
}

export function memberName(variant: string, seed: number): string {
  return `${variant}-${seed}`;
}

/** One seed after the other, so that whatever is there when it is stopped can be compared. */
export function membersOf({ variants }: Experiments, seeds: number): Member[] {
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    variants.map(({ name, recipe, pseudoLabels }) => ({
      name: memberName(name, seed),
      recipe,
      seed,
      ...(pseudoLabels && { pseudoLabels }),
    })),
  );
}

/** The experiments that a folder has, and of how many seeds at the most. */
export function plannedOf(
  all: Experiments,
  { planned }: Ensemble,
): Experiments & { seeds: number } {
  const names = new Set(planned.map(({ name }) => name));
  const seeds = Math.max(...planned.map(({ seed }) => seed));
  const variants = all.variants.filter(({ name }) =>
    Array.from({ length: seeds }, (_, i) => memberName(name, i + 1)).some((one) => names.has(one)),
  );
  return { ...all, variants, seeds };
}

/**
 * Plans what the folder lacks. Variants and seeds may be added to a folder later; what is there keeps its recipe and
 * budget, and asking for others is an error. Undefined when interrupted.
 */
export async function planExperiments(
  experiments: Experiments,
  named: string,
  options: PlanExperimentsOptions,
): Promise<PlannedExperiments | undefined> {
  const { folder, budget, seeds } = options;
  const members = membersOf(experiments, seeds);
  const earlier = hasEnsemble(folder) ? openEnsemble(folder) : undefined;
  if (earlier) {
    sameExperiments(earlier, named, options);
    const lacking = members.filter((member) => !isPlanned(earlier, member));
    if (lacking.length === 0) return { begin: () => earlier, lines: [] };
    if (parseBudget("experiments", budget).kind === "total")
      throw new CliError(
        `experiments: expected the variants and seeds that ${folder} was planned with, since its budget is divided among them, but got ${lacking[0]!.name}`,
      );
    say(`adding ${lacking.length} runs to the ${earlier.planned.length} of ${folder}`);
  }
  const names = new Set(members.map(({ name }) => name));
  const others = earlier?.planned.filter(({ name }) => !names.has(name)) ?? [];
  const prepared = await prepareMembers({ members: [...members, ...others] }, named, {
    ...options,
    caller: "experiments",
    transforms: [identityDraw],
    splits: ["valid"],
    shardSize: undefined,
    slurm: undefined,
  });
  if (!prepared) return undefined;
  return { begin: () => createEnsemble(folder, prepared.file), lines: prepared.lines };
}

/** A folder is of one budget, one data set and one file of experiments. */
function sameExperiments(
  earlier: Ensemble,
  named: string,
  { budget, data }: PlanExperimentsOptions,
): void {
  for (const [what, was, is] of [
    ["--budget", earlier.budget, budget],
    ["--data", earlier.data, data],
    ["the experiments", earlier.members, named],
  ])
    if (was !== is)
      throw new CliError(
        `experiments: ${earlier.folder} was begun with ${was} for ${what}; expected the same, or another --out, but got ${is}`,
      );
}

/** Whether the run is in the plan as it is wanted; an error where it was begun otherwise. */
function isPlanned(earlier: Ensemble, member: Member): boolean {
  const { name } = member;
  const there = earlier.planned.find((planned) => planned.name === name);
  if (!there) return false;
  if (trainsAlike(there, member)) return true;
  if (isStarted(earlier, there))
    throw new CliError(
      `experiments: ${name} was begun in ${earlier.folder} with another recipe or pseudo-labels; expected the same, or another --out`,
    );
  return false;
}

/** Whether two runs differ in their descriptions at most. */
function trainsAlike(a: Member, b: Member): boolean {
  const text = ({ recipe, pseudoLabels }: Member) =>
    JSON.stringify([{ ...recipe, about: "" }, pseudoLabels]);
  return text(a) === text(b);
}
