/** What a person tells Slurm, and how its commands are told. */
import { integerArg } from "../../cli/args.ts";
import { CliError } from "../../cli/errors.ts";

export interface SlurmOptions {
  partition?: string | undefined;
  /** Such as gpu:1; of what trains and predicts. */
  gres?: string | undefined;
  /** Limit of one task, such as 12:00:00; what does not end in it saves and is queued again. */
  time?: string | undefined;
  /** CPU cores of one task, which are its threads. */
  cpus: number;
  /** More options of sbatch and srun. */
  more: readonly string[];
}

/** On the command line. */
export const slurmArgs = {
  slurm: {
    type: "boolean",
    description: "Queue it as Slurm jobs, watch them, queue again what was killed",
    default: false,
  },
  partition: { type: "string", description: "Of --slurm's jobs", valueHint: "NAME" },
  gres: {
    type: "string",
    description: "Of --slurm's jobs that train and predict: gpu:1",
    valueHint: "LIST",
  },
  time: {
    type: "string",
    description:
      "Limit of each of --slurm's jobs; what does not end in it saves and is queued again",
    valueHint: "D-HH:MM:SS",
  },
  cpus: {
    type: "string",
    description: "CPU cores of each of --slurm's jobs (default: 4)",
    valueHint: "N",
  },
  sbatch: {
    type: "string",
    description: 'More options of sbatch: "account=astro mem=32G"',
    valueHint: "OPTIONS",
  },
} as const;

/** What was given for them, and for options that do not go with them. */
type Given = { slurm: boolean } & {
  [name in Exclude<keyof typeof slurmArgs, "slurm"> | "parallel" | "job"]?: string | undefined;
};

const CPUS = 4;
/** Before the time limit a task is told to save; it has so long. */
export const NOTICE_SECONDS = 120;
/** The notice, and what Slurm may be early by, and as much again to work in. */
const LEAST_MINUTES = 5;

/** Checks them; undefined without --slurm. */
export function readSlurmOptions(given: Given): SlurmOptions | undefined {
  const { partition, gres, time } = given;
  if (!given.slurm) {
    for (const name of ["partition", "gres", "time", "cpus", "sbatch"] as const)
      if (given[name] !== undefined)
        throw new CliError(`reproduce: expected --slurm with --${name} but got none`);
    return undefined;
  }
  if (given.job !== undefined)
    throw new CliError("reproduce: expected --slurm or --job but got both");
  if (given.parallel !== undefined)
    throw new CliError(
      "reproduce: expected --parallel without --slurm, whose queue says how many members run side by side",
    );
  if (time !== undefined && minutesOf(time) < LEAST_MINUTES)
    throw new CliError(
      `reproduce: expected at least ${LEAST_MINUTES} minutes for --time, of which the last ${NOTICE_SECONDS / 60} are for saving, but got ${time}`,
    );
  const more = (given.sbatch?.trim().split(/\s+/) ?? []).map((option) => {
    const [, name, value = ""] = /^(?:--)?([a-z][a-z-]*)(=.+)?$/.exec(option) ?? [];
    if (name === undefined)
      throw new CliError(
        `reproduce: expected NAME=VALUE, separated by spaces, for --sbatch but got ${option}`,
      );
    return `--${name}${value}`;
  });
  const cpus = integerArg("reproduce", "cpus", given.cpus) ?? CPUS;
  return { partition, gres, time, cpus, more };
}

/** As sbatch and srun take them. */
export function slurmFlags({ partition, gres, time, cpus, more }: SlurmOptions): string[] {
  return [
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(gres === undefined ? [] : [`--gres=${gres}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    `--cpus-per-task=${cpus}`,
    ...more,
  ];
}

/** Slurm's times: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S; what is none of them is for Slurm to judge. */
function minutesOf(time: string): number {
  const [, days, ...rest] = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(time) ?? [];
  const numbers = rest.filter((text) => text !== undefined).map(Number);
  if (numbers.length === 0) return Number.POSITIVE_INFINITY;
  if (days === undefined && numbers.length < 3) numbers.unshift(0);
  const [hours = 0, minutes = 0, seconds = 0] = numbers;
  return 1440 * Number(days ?? 0) + 60 * hours + minutes + seconds / 60;
}
