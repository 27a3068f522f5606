/**
 * An ensemble on a cluster: what its members go on from, if anything; an array of trainings; for each member an array of
 * parts of its predictions, after its training; a blend after all of them. All of it is queued at once, so nothing has to
 * wait for this process, which only watches, and queues again what left the queue undone.
 */
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { CliError } from "../../cli/errors.ts";
import { createProgress } from "../../cli/progress.ts";
import { lastWords } from "../child.ts";
import type { EngineResult } from "../engine.ts";
import { type Ensemble, isBlended, isPredicted, logFile } from "../folder.ts";
import type { Job } from "../jobs.ts";
import { progressOf } from "../member-progress.ts";
import { isQueued, queueArrays, type Seen } from "./arrays.ts";
import { type OpenJob, openJobs } from "./open-jobs.ts";
import type { SlurmOptions } from "./options.ts";
import { cancel, endOf, type QueuedTask, queuedTasks, RefusedError } from "./queue.ts";
import { makeSlurmFolder, readTasks } from "./tasks.ts";
import { countTries, forgetTries, hasStarted, noteUnseenTry, TRIES } from "./tries.ts";

export interface ClusterOptions {
  slurm: SlurmOptions;
  /** Ends the watching; the jobs go on. */
  signal: AbortSignal;
}

/** Refusals in a row, with nothing of ours in the queue, after which the queue's word is final. */
const REFUSALS = 3;
/** Between looks at the queue: short at first, then kind to the controller. */
const PAUSE_MS = { first: 2000, growth: 1.1, longest: 30_000 };

/** What a watching knows of an ensemble's jobs. */
interface Watch extends Seen {
  ensemble: Ensemble;
  /** Names of jobs that a person took out of the queue. */
  cancelled: Set<string>;
  /** Names of jobs that have had their tries, as things are. */
  givenUp: Set<string>;
}

export async function runOnCluster(
  ensemble: Ensemble,
  { slurm, signal }: ClusterOptions,
): Promise<EngineResult> {
  makeSlurmFolder(ensemble);
  const seen: Seen = { tasks: readTasks(ensemble), queue: await queuedTasks() };
  const watch: Watch = { ensemble, ...seen, cancelled: new Set(), givenUp: new Set() };
  let open = await openJobs(ensemble);
  for (const one of open)
    if (!isQueued(watch, one)) {
      delete watch.tasks[one.name];
      forgetTries(ensemble, one.job);
    }
  const progress = createProgress("cluster", 1000);
  // What is seen at every look is said once.
  const said = new Set<string>();
  const sayOnce = (text: string) => {
    if (!said.has(text)) progress.line(text);
    said.add(text);
  };
  try {
    for (let look = 0, refusals = 0; open.length > 0; look++) {
      await noteEnds(watch, open);
      await giveUp(watch, open, sayOnce);
      const wanted = open.filter(
        ({ name }) => !watch.cancelled.has(name) && !watch.givenUp.has(name),
      );
      try {
        const queued = await queueArrays(ensemble, wanted, watch, { slurm, say: progress.line });
        refusals = 0;
        if (queued === 0 && !open.some((one) => isQueued(watch, one))) break;
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        if (!open.some((one) => isQueued(watch, one)) && ++refusals === REFUSALS) throw error;
        sayOnce(`${error.message}; asking again later, the rest goes on`);
      }
      const pause = Math.min(PAUSE_MS.longest, PAUSE_MS.first * PAUSE_MS.growth ** look);
      await setTimeout(pause, undefined, { signal }).catch(() => {});
      if (signal.aborted) return { finished: false, failed: [] };
      try {
        // First the queue, then the files: what has left it by then has written what it made.
        const queue = await queuedTasks();
        open = await openJobs(ensemble);
        watch.queue = queue;
        const { done, total } = await progressOf(ensemble);
        progress.update(Math.floor((1000 * done) / total), describeQueue(watch));
      } catch (error) {
        // The controller is busy, or a file went while it was read; the next look will tell.
        sayOnce((error as Error).message);
      }
    }
    if (open.length === 0) progress.update(1000, "all done");
  } finally {
    progress.stop();
  }
  const failed = ensemble.planned
    .filter((member) => !isPredicted(ensemble, member))
    .map(({ name }) => ({ name, reason: reasonOf(watch, open, isOf(name)) }));
  if (!(await isBlended(ensemble))) {
    const why = failed[0]
      ? `${failed[0].name}: ${failed[0].reason}`
      : reasonOf(watch, open, ({ kind }) => kind === "blend");
    throw new CliError(`reproduce: the cluster made no submission; ${why}`);
  }
  return { finished: true, failed };
}

/** Looks at what left the queue undone: a person's cancel is kept to, anything else is a try. */
async function noteEnds(watch: Watch, open: readonly OpenJob[]): Promise<void> {
  const { ensemble, tasks, queue, cancelled } = watch;
  for (const { job, name } of open) {
    const task = tasks[name];
    if (task === undefined || queue.has(task)) continue;
    delete tasks[name];
    const end = await endOf(task);
    const started = hasStarted(ensemble, job, task);
    if (isCancel(end, started)) {
      cancelled.add(name);
      // Slurm lets what waits for a task without a record begin.
      const waiting = open.filter((one) => one.job.kind !== "blend" && one.after.includes(name));
      await cancel(waiting.flatMap((one) => (isQueued(watch, one) ? [tasks[one.name]!] : [])));
    } else if (end?.state !== "COMPLETED" && end?.state !== "CANCELLED" && !started)
      noteUnseenTry(ensemble, job, task, end?.state ?? "unseen");
  }
}

/** Whether a person took a task out. Slurm keeps no record of one that was still waiting in its array. */
function isCancel(end: QueuedTask | undefined, started: boolean): boolean {
  if (end === undefined) return !started;
  // It takes out itself what waits for a job that failed.
  return end.state === "CANCELLED" && end.reason !== "DependencyNeverSatisfied";
}

/** Finds the jobs that have had their tries; says it of each. */
async function giveUp(
  watch: Watch,
  open: readonly OpenJob[],
  say: (text: string) => void,
): Promise<void> {
  watch.givenUp.clear();
  for (const one of open) {
    if (isQueued(watch, one) || (await countTries(watch.ensemble, one.job)) < TRIES) continue;
    watch.givenUp.add(one.name);
    const words = wordsOf(watch.ensemble, one.name);
    say(`${one.name} failed ${TRIES} times: ${words}; the rest goes on`);
  }
}

function describeQueue({ tasks, queue }: Watch): string {
  const ours = Object.values(tasks).flatMap((task) => queue.get(task) ?? []);
  const waiting = ours.filter(({ state }) => state === "PENDING");
  const reasons = [...new Set(waiting.map(({ reason }) => reason))].filter((r) => r !== "None");
  const why = reasons.length > 0 ? ` (${reasons.slice(0, 3).join(", ")})` : "";
  return `${ours.length - waiting.length} tasks run, ${waiting.length} wait${why}`;
}

const isOf = (member: string) => (job: Job) => "member" in job && job.member === member;

/** Why some jobs are not done. */
function reasonOf(watch: Watch, open: readonly OpenJob[], isMeant: (job: Job) => boolean): string {
  const jobs = open.filter(({ job }) => isMeant(job));
  const name = (of: Set<string>) => jobs.find((one) => of.has(one.name))?.name;
  const cancelled = name(watch.cancelled);
  if (cancelled) return `${cancelled} was cancelled`;
  return wordsOf(watch.ensemble, name(watch.givenUp) ?? jobs[0]?.name ?? "blend");
}

/** The last that a job said. */
function wordsOf(ensemble: Ensemble, name: string): string {
  const log = logFile(ensemble, name);
  return existsSync(log) ? lastWords(log) : "it never ran";
}
