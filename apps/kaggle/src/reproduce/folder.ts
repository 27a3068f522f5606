/**
 * An ensemble is a folder, and the folder is its only state:
 * plan.json (what was planned), members/NAME (a run each; members/start where they go on from one), logs/,
 * submission.csv, report.html.
 * What is done is read from the files themselves, so that whatever was interrupted goes on.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
} from "node:fs";
import { join } from "node:path";
import type { Draw } from "@gz/augment";
import { latestCheckpoint } from "@gz/train";
import { readBlend } from "../blending/blend-result.ts";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { isShardDone, type Shard, shardsOf, stepOf } from "../prediction/shards.ts";
import { checkRecipe } from "../recipe/recipe.ts";
import { type Budget, openRun, writeAtomic } from "../run/run.ts";
import type { PlannedMember } from "./plan.ts";

/** What plan.json holds: all that a job needs to know, on any machine that sees the folder. */
export interface EnsembleFile {
  formatVersion: 1;
  /** As asked for. */
  budget: string;
  members: string;
  data: string;
  /** Galaxies to predict. */
  galaxies: { valid: number; test: number };
  backend: string;
  /** Members side by side on one machine, and CPU threads of each; left out, a process takes what it has. */
  lanes: number;
  threads?: number;
  transforms: readonly Draw[];
  shardSize: number;
  planned: PlannedMember[];
  /** What they go on from, trained before them with all of the machine. */
  start?: PlannedMember;
}

export interface Ensemble extends EnsembleFile {
  folder: string;
}

const PLAN = "plan.json";

export function hasEnsemble(folder: string): boolean {
  return existsSync(join(folder, PLAN));
}

export function createEnsemble(folder: string, file: EnsembleFile): Ensemble {
  mkdirSync(join(folder, "logs"), { recursive: true });
  writeAtomic(join(folder, PLAN), `${JSON.stringify(file, null, 1)}\n`);
  return { ...file, folder };
}

export function openEnsemble(folder: string): Ensemble {
  const path = join(folder, PLAN);
  if (!existsSync(path))
    throw new CliError(`reproduce: ${folder} holds no ensemble: it has no ${PLAN}`);
  const file = readJson("reproduce", path) as EnsembleFile | null;
  if (file?.formatVersion !== 1 || !Array.isArray(file.planned))
    throw new CliError(
      `reproduce: expected a plan of format version 1 in ${path} but got ${file?.formatVersion === 1 ? "one without members" : `version ${file?.formatVersion}`}`,
    );
  for (const { recipe } of networksOf(file)) checkRecipe(recipe, path);
  return { ...file, folder };
}

/** All that is trained, in order. */
export function networksOf({ start, planned }: EnsembleFile): PlannedMember[] {
  return start ? [start, ...planned] : planned;
}

export function memberFolder({ folder }: Ensemble, { name }: { name: string }): string {
  return join(folder, "members", name);
}

export function logFile({ folder }: Ensemble, name: string): string {
  return join(folder, "logs", `${name.replaceAll("/", "-")}.log`);
}

export const submissionFile = ({ folder }: Ensemble): string => join(folder, "submission.csv");
export const reportFile = ({ folder }: Ensemble): string => join(folder, "report.html");

/** Whether a run is there to go on with. */
export function isStarted(ensemble: Ensemble, member: PlannedMember): boolean {
  return existsSync(join(memberFolder(ensemble, member), "recipe.json"));
}

/** How far a member's training is, 0 to 1; 1 only once its last checkpoint is saved. */
export async function trainedFraction(ensemble: Ensemble, member: PlannedMember): Promise<number> {
  if (!isStarted(ensemble, member)) return 0;
  const run = openRun(memberFolder(ensemble, member));
  const checkpoint = await latestCheckpoint(run.checkpoints);
  if (checkpoint && savedFraction(checkpoint, member.budget) >= 1) return 1;
  const { step = 0, seconds = 0 } = lastLine(run.metricsFile) ?? {};
  const { budget } = member;
  const fraction = "steps" in budget ? step / budget.steps : seconds / (60 * budget.minutes);
  return Math.min(fraction, 0.999);
}

function savedFraction(checkpoint: string, budget: Budget): number {
  const { step, meta } = JSON.parse(readFileSync(join(checkpoint, "meta.json"), "utf8")) as {
    step: number;
    meta: { elapsedMs?: number };
  };
  return "steps" in budget
    ? step / budget.steps
    : (meta.elapsedMs ?? 0) / (60_000 * budget.minutes);
}

/** The shards of a trained member's predictions. */
export async function memberShards(ensemble: Ensemble, member: PlannedMember): Promise<Shard[]> {
  const run = openRun(memberFolder(ensemble, member));
  const checkpoint = await latestCheckpoint(run.checkpoints);
  if (!checkpoint) return [];
  return shardsOf({
    predictions: run.predictions,
    data: ensemble.data,
    step: stepOf(checkpoint),
    transforms: ensemble.transforms,
    size: ensemble.shardSize,
    counts: ensemble.galaxies,
  });
}

/** How far a trained member's prediction is, 0 to 1; 1 only once its shards are joined. */
export async function predictedFraction(
  ensemble: Ensemble,
  member: PlannedMember,
): Promise<number> {
  if (isPredicted(ensemble, member)) return 1;
  if (!isStarted(ensemble, member)) return 0;
  const shards = await memberShards(ensemble, member);
  return Math.min(0.999, shards.filter(isShardDone).length / Math.max(1, shards.length));
}

/** Whether a member's predictions are there, whole. */
export function isPredicted(ensemble: Ensemble, member: PlannedMember): boolean {
  const { galaxies } = ensemble;
  return (["valid", "test"] as const).every(
    (split) =>
      galaxies[split] === 0 ||
      existsSync(join(memberFolder(ensemble, member), "predictions", `${split}.csv`)),
  );
}

/** Whether all of a member's predictions are there, joined or in shards that need no more than joining. */
export async function isReady(ensemble: Ensemble, member: PlannedMember): Promise<boolean> {
  if (isPredicted(ensemble, member)) return true;
  if ((await trainedFraction(ensemble, member)) < 1) return false;
  return (await memberShards(ensemble, member)).every(isShardDone);
}

/** Whether it gets a report: the page is of Kaggle's questions. */
export function hasReport({ planned }: Ensemble): boolean {
  return planned.every(({ recipe }) => typeof recipe.output.tree === "string");
}

/** Whether submission and report are there, of all members that are ready. */
export async function isBlended(ensemble: Ensemble): Promise<boolean> {
  const blend = readBlend(submissionFile(ensemble));
  if (!blend || !existsSync(submissionFile(ensemble))) return false;
  if (hasReport(ensemble) && !existsSync(reportFile(ensemble))) return false;
  const blended = new Set(blend.members.map(({ name }) => name));
  for (const member of ensemble.planned)
    if (blended.has(member.name) !== (await isReady(ensemble, member))) return false;
  return true;
}

/** The last whole line of a run's metrics; the files grow long, so only their end is read. */
function lastLine(file: string): { step?: number; seconds?: number } | undefined {
  if (!existsSync(file)) return undefined;
  const handle = openSync(file, "r");
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, 4096));
    readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    const line = buffer.toString("utf8").split("\n").at(-2);
    return line?.startsWith("{") ? (JSON.parse(line) as { step?: number }) : undefined;
  } finally {
    closeSync(handle);
  }
}
