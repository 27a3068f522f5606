/** Open jobs into Slurm's job arrays, each after what it needs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAIN } from "../child.ts";
import { type Ensemble, isBlended, logFile } from "../folder.ts";
import type { OpenJob } from "./open-jobs.ts";
import type { SlurmOptions } from "./options.ts";
import { type QueuedTask, submit } from "./queue.ts";
import { arrayScript } from "./script.ts";
import { slurmFolder, type Tasks, writeTasks } from "./tasks.ts";

/** Tasks and the queue as they were seen last. */
export interface Seen {
  tasks: Tasks;
  queue: Map<string, QueuedTask>;
}

export function isQueued({ tasks, queue }: Seen, { name }: { name: string }): boolean {
  const task = tasks[name];
  return task !== undefined && queue.has(task);
}

export interface QueueOptions {
  slurm: SlurmOptions;
  /** Told of each array that is queued. */
  say(text: string): void;
}

/**
 * Queues what of these jobs is not queued yet, in an array all that go together; returns how many tasks that were.
 * Throws a RefusedError where Slurm takes no more; what was queued until then is noted.
 */
export async function queueArrays(
  ensemble: Ensemble,
  open: readonly OpenJob[],
  seen: Seen,
  { slurm, say }: QueueOptions,
): Promise<number> {
  const { tasks, queue } = seen;
  let count = 0;
  for (const array of new Set(open.map((one) => one.array))) {
    const jobs = open.filter((one) => one.array === array && !isQueued(seen, one));
    if (jobs.length === 0) continue;
    const waits = [...new Set(jobs.flatMap(({ after }) => after))];
    const ahead = waits.filter((name) => isQueued(seen, { name })).map((name) => tasks[name]!);
    const isBlend = array === "blend";
    // What goes on from a training that is not queued would only fail; a blend takes what there is, once.
    if (isBlend ? ahead.length === 0 && (await isBlended(ensemble)) : ahead.length < waits.length)
      continue;
    const script = join(slurmFolder(ensemble), `${array}.sh`);
    const text = arrayScript({
      folder: ensemble.folder,
      name: `gz-${array}`,
      jobs: jobs.map(({ name }) => name),
      command: [process.execPath, MAIN],
      slurm: isBlend ? { ...slurm, gres: undefined } : slurm,
    });
    writeFileSync(script, text, { mode: 0o755 });
    const id = await submit({
      script,
      tasks: jobs.length,
      log: logFile(ensemble, "slurm"),
      dependency: isBlend ? afterAny(ahead) : afterOk(ahead),
    });
    for (const [index, { name }] of jobs.entries()) {
      tasks[name] = `${id}_${index}`;
      queue.set(tasks[name], { state: "PENDING", reason: "None" });
    }
    writeTasks(ensemble, tasks);
    count += jobs.length;
    say(`queued ${array}, Slurm job ${id}, ${jobs.length} ${jobs.length > 1 ? "tasks" : "task"}`);
  }
  return count;
}

/** Predictions, and trainings that go on from another, need that it ended well. */
function afterOk(tasks: readonly string[]): string | undefined {
  return tasks.length > 0 ? `afterok:${tasks.join(":")}` : undefined;
}

/** The blend waits for whole arrays, however they end. */
function afterAny(tasks: readonly string[]): string | undefined {
  const arrays = new Set(tasks.map((task) => task.split("_")[0]!));
  return arrays.size > 0 ? `afterany:${[...arrays].join(":")}` : undefined;
}
