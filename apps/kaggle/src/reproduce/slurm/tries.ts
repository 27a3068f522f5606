/**
 * How often a job was started without saving anything new. Its file slurm/tries/JOB has a line "start …" for each start,
 * written by the batch script before anything else, so that whatever kills the task, the start counts; above them the
 * job itself writes "at MARK", what was saved when they began, and drops them when that has changed.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { latestCheckpoint } from "@gz/train";
import { isShardDone, shardsOfPart, stepOf } from "../../prediction/shards.ts";
import { openRun, writeAtomic } from "../../run/run.ts";
import {
  type Ensemble,
  isPredicted,
  isReady,
  isStarted,
  memberFolder,
  memberShards,
  networksOf,
} from "../folder.ts";
import { formatJob, type Job } from "../jobs.ts";
import { slurmFolder } from "./tasks.ts";

/** A job that was started so often in a row without saving anything new is given up. */
export const TRIES = 3;

/** To be called at the start of a job: earlier starts count only as long as nothing has been saved since. */
export async function beginTry(ensemble: Ensemble, job: Job): Promise<void> {
  const lines = readTries(ensemble, job);
  if (lines.length === 0) return; // not started by a batch script
  const mark = await markOf(ensemble, job);
  if (lines[0] === mark) return;
  // Without a mark, none of the starts came as far as this.
  const kept = lines[0]!.startsWith("start") ? lines : lines.slice(-1);
  writeAtomic(fileOf(ensemble, job), `${[mark, ...kept].join("\n")}\n`);
}

/** Starts since something was saved last. */
export async function countTries(ensemble: Ensemble, job: Job): Promise<number> {
  const [first, ...starts] = readTries(ensemble, job);
  if (first === undefined) return 0;
  if (first.startsWith("start")) return 1 + starts.length; // the job itself never began
  return first === (await markOf(ensemble, job)) ? starts.length : 0;
}

/** Whether a task's batch script came as far as to count its start. */
export function hasStarted(ensemble: Ensemble, job: Job, task: string): boolean {
  return readTries(ensemble, job).some((line) => line.includes(`task ${task} `));
}

/** Counts a task that Slurm ended before its batch script could. */
export function noteUnseenTry(ensemble: Ensemble, job: Job, task: string, end: string): void {
  appendFileSync(fileOf(ensemble, job), `start unseen, task ${task} ended ${end}\n`);
}

/** A person's new start gives a job all its tries. */
export function forgetTries(ensemble: Ensemble, job: Job): void {
  rmSync(fileOf(ensemble, job), { force: true });
}

function fileOf(ensemble: Ensemble, job: Job): string {
  return join(slurmFolder(ensemble), "tries", formatJob(job).replaceAll("/", "-"));
}

function readTries(ensemble: Ensemble, job: Job): string[] {
  const file = fileOf(ensemble, job);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

/** What of a job is on the disk: another mark is progress. */
async function markOf(ensemble: Ensemble, job: Job): Promise<string> {
  if (job.kind === "decode") return "at its start";
  if (job.kind === "blend") {
    const ready = await Promise.all(ensemble.planned.map((member) => isReady(ensemble, member)));
    return `at ${ready.filter(Boolean).length} members`; // more of them are another blend
  }
  const member = networksOf(ensemble).find(({ name }) => name === job.member)!;
  if (!isStarted(ensemble, member)) return "at step 0";
  if (job.kind === "train") {
    const checkpoint = await latestCheckpoint(openRun(memberFolder(ensemble, member)).checkpoints);
    return `at step ${checkpoint ? stepOf(checkpoint) : 0}`;
  }
  if (isPredicted(ensemble, member)) return "at its end";
  const all = await memberShards(ensemble, member);
  const shards = job.part ? shardsOfPart(all, job.part) : all;
  return `at ${shards.filter(isShardDone).length} of ${shards.length} shards`;
}
