/** Which Slurm task runs which job, kept in the ensemble's folder, so that another watching knows it too. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../../cli/json.ts";
import { writeAtomic } from "../../run/run.ts";
import type { Ensemble } from "../folder.ts";

/** Slurm's ID_INDEX by the job's name. */
export type Tasks = Record<string, string>;

/** Of scripts, tasks.json and tries/. */
export const slurmFolder = ({ folder }: Ensemble): string => join(folder, "slurm");

/** Makes what the batch scripts write into. */
export function makeSlurmFolder(ensemble: Ensemble): void {
  for (const path of [join(slurmFolder(ensemble), "tries"), join(ensemble.folder, "logs")])
    mkdirSync(path, { recursive: true });
}

export function readTasks(ensemble: Ensemble): Tasks {
  const file = join(slurmFolder(ensemble), "tasks.json");
  return existsSync(file) ? (readJson("reproduce", file) as Tasks) : {};
}

export function writeTasks(ensemble: Ensemble, tasks: Tasks): void {
  writeAtomic(join(slurmFolder(ensemble), "tasks.json"), `${JSON.stringify(tasks, null, 1)}\n`);
}
