/** Slurm's own commands, each as a function; what they answer when they refuse is the user's to read. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CliError } from "../../cli/errors.ts";
import { type SlurmOptions, slurmFlags } from "./options.ts";

const run = promisify(execFile);
/** A queue of 100,000 tasks. */
const MOST_BYTES = 1 << 24;

/** A command of Slurm's said no; its reason is the message. */
export class RefusedError extends CliError {}

/** Throws where there is no Slurm, or where it would not take a task with these options. */
export async function checkQueue(options: SlurmOptions): Promise<void> {
  await slurm("sbatch", ["--test-only", ...slurmFlags(options), "--wrap=true"]);
}

export interface Submission {
  script: string;
  tasks: number;
  /** What the script says before it has a log of its own. */
  log: string;
  /** Slurm's expression of what has to end before. */
  dependency?: string | undefined;
}

/** Queues a script as an array; returns Slurm's id of it. */
export async function submit({ script, tasks, log, dependency }: Submission): Promise<string> {
  const args = [
    ...["--parsable", `--array=0-${tasks - 1}`],
    ...[`--output=${log.replaceAll("%", "%%")}`, "--open-mode=append"],
    ...(dependency ? [`--dependency=${dependency}`, "--kill-on-invalid-dep=yes"] : []),
    script,
  ];
  // JOBID or JOBID;CLUSTER
  return (await slurm("sbatch", args)).trim().split(";")[0]!;
}

export interface QueuedTask {
  state: string;
  /** Why it waits, in Slurm's word. */
  reason: string;
}

/** This user's tasks that wait or run, by ID_INDEX. */
export async function queuedTasks(): Promise<Map<string, QueuedTask>> {
  const text = await slurm("squeue", ["--noheader", "--array", "--me", "--format=%i|%T|%r"]);
  const rows = text.split("\n").filter(Boolean);
  return new Map(
    rows.map((row) => {
      const [id = "", state = "", reason = ""] = row.trim().split("|");
      return [id, { state, reason }];
    }),
  );
}

/**
 * How a task that left the queue ended (COMPLETED, FAILED, CANCELLED, …), and why: from the controller while it
 * remembers, then from the accounting, where there is one; undefined where nobody knows.
 */
export async function endOf(task: string): Promise<QueuedTask | undefined> {
  const text = await slurm("scontrol", ["--oneliner", "show", "job", task]).catch(() => "");
  const state = /JobState=(\w+)/.exec(text)?.[1];
  if (state) return { state, reason: /Reason=(\w+)/.exec(text)?.[1] ?? "" };
  const args = ["--noheader", "--parsable2", "--allocations", "--format=State,Reason", "--jobs"];
  const row = (await slurm("sacct", [...args, task]).catch(() => "")).trim().split("\n").at(-1);
  if (!row) return undefined;
  const [words = "", reason = ""] = row.split("|");
  return { state: words.split(" ")[0]!, reason }; // "CANCELLED by 1000"
}

/** Takes tasks out of the queue; some may have left it already. */
export async function cancel(tasks: readonly string[]): Promise<void> {
  if (tasks.length > 0) await slurm("scancel", tasks).catch(() => {});
}

async function slurm(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: MOST_BYTES })).stdout;
  } catch (error) {
    const { code, stderr = "", message } = error as Error & { code?: unknown; stderr?: string };
    if (code === "ENOENT")
      throw new CliError(
        `reproduce: ${command} is not here; --slurm runs where Slurm's commands are, such as a cluster's login node`,
      );
    const lines = stderr.trim().split("\n");
    const reason = lines.find((line) => line.includes("error: ")) ?? lines.at(-1);
    throw new RefusedError(
      `reproduce: ${command} refuses: ${reason?.replace(/^\w+: error: /, "") || message}`,
    );
  }
}
