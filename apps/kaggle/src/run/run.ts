/**
 * A run is a folder, and the folder is its only state:
 * recipe.json, run.json (how it was started), metrics.jsonl, checkpoints/, predictions/, pseudo-labels.csv where it
 * learns from any.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import lockfile from "proper-lockfile";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { checkRecipe, type Recipe } from "../recipe/recipe.ts";
import { keepPseudoLabels, type PseudoLabelOptions } from "../training/pseudo-labels.ts";

/** How long a run trains: a number of steps, or minutes of training time. */
export type Budget = { steps: number } | { minutes: number };

/** What run.json holds. */
export interface RunInfo {
  formatVersion: 1;
  seed: number;
  budget: Budget;
  /** The data set, as given, and how many of its rows train and validate. */
  data: { path: string; train: number; valid: number };
  /** The trained weights that it started from; left out, they were drawn. */
  from?: {
    /** The run's folder, or what was exported of it. */
    path: string;
    /** The recipe that they were trained by, and for how many steps. */
    recipe: string;
    step: number;
    /** "replaced": the head was drawn, since it answers other questions. */
    head: "kept" | "replaced";
  };
  /** Predictions of test images that it learns from, too: how (pseudo-labels.ts), and of how many. */
  pseudoLabels?: PseudoLabelOptions & { images: number };
  /** The backend of the latest start, in words. */
  backend: string;
  node: string;
  /** ISO 8601, of the first start. */
  started: string;
}

export interface Run {
  readonly folder: string;
  readonly recipe: Recipe;
  readonly info: RunInfo;
  /** Short name: the folder's own. */
  readonly name: string;
  readonly metricsFile: string;
  readonly checkpoints: string;
  readonly predictions: string;
}

function paths(folder: string, recipe: Recipe, info: RunInfo): Run {
  return {
    folder,
    recipe,
    info,
    name: resolve(folder).split(/[\\/]/).at(-1) ?? folder,
    metricsFile: join(folder, "metrics.jsonl"),
    checkpoints: join(folder, "checkpoints"),
    predictions: join(folder, "predictions"),
  };
}

/** Writes a file so that it is there whole or not at all. */
export function writeAtomic(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Starts a run in a new folder; one that already holds a run is refused, so that nothing is overwritten. */
export function createRun(folder: string, recipe: Recipe, info: RunInfo): Run {
  if (existsSync(join(folder, "recipe.json")))
    throw new CliError(
      `train: ${folder} already holds a run; go on with --resume, or give another --out`,
    );
  const run = paths(folder, recipe, info);
  mkdirSync(run.checkpoints, { recursive: true });
  mkdirSync(run.predictions, { recursive: true });
  if (info.pseudoLabels) keepPseudoLabels(info.pseudoLabels.file, folder);
  writeAtomic(join(folder, "run.json"), json(info));
  writeAtomic(join(folder, "recipe.json"), json(recipe));
  return run;
}

/** Opens a run that is there. */
export function openRun(folder: string): Run {
  const read = (name: string): unknown => {
    const file = join(folder, name);
    if (!existsSync(file)) throw new CliError(`run: ${folder} is not a run: it has no ${name}`);
    return readJson("run", file);
  };
  const info = read("run.json") as RunInfo;
  if (info.formatVersion !== 1)
    throw new CliError(
      `run: expected format version 1 in ${join(folder, "run.json")} but got ${info.formatVersion}`,
    );
  return paths(folder, checkRecipe(read("recipe.json"), join(folder, "recipe.json")), info);
}

/** Records a later start (its backend, its data path) in run.json. */
export function updateRunInfo(run: Run, changes: Partial<RunInfo>): Run {
  const info = { ...run.info, ...changes };
  writeAtomic(join(run.folder, "run.json"), json(info));
  return paths(run.folder, run.recipe, info);
}

/** Another process works on the folder. */
export class InUseError extends CliError {}

/**
 * Takes the folder for this process; returns what gives it back. A lock whose process died is stale after 20 s,
 * so a killed run can be resumed at once or after a short wait.
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  const waitForStale = { retries: 25, factor: 1, minTimeout: 1000, maxTimeout: 1000 };
  const owner = join(folder, "owner.pid");
  const take = (retries: typeof waitForStale | 0) =>
    lockfile.lock(folder, { stale: 20_000, update: 5_000, retries, realpath: false });
  let release: () => Promise<void>;
  try {
    release = await take(0);
  } catch {
    const [pid, host] = existsSync(owner) ? readFileSync(owner, "utf8").split(" ") : [];
    // Of a process on another machine nothing is known but how old its lock is.
    if (pid && host === hostname()) {
      if (isAlive(Number(pid)))
        throw new InUseError(`run: ${folder} is in use by another process (${pid})`);
      await lockfile.unlock(folder, { realpath: false }).catch(() => {});
    }
    release = await take(waitForStale).catch(() => {
      throw new InUseError(
        `run: ${folder} is in use by another process${pid ? ` (${pid} on ${host})` : ""}`,
      );
    });
  }
  writeFileSync(owner, `${process.pid} ${hostname()}`);
  return release;
}

function isAlive(pid: number): boolean {
  if (!Number.isFinite(pid) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
