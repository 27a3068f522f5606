import { resolve } from "node:path";
import { defineCommand } from "citty";
import { readBlend } from "../blending/blend-result.ts";
import {
  backendArg,
  dataArg,
  dataPath,
  integerArg,
  refuseUnknown,
  threadsArg,
  workersArg,
} from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { formatSeconds, say } from "../cli/progress.ts";
import { describeMembers } from "../reproduce/describe-plan.ts";
import { runEnsemble } from "../reproduce/engine.ts";
import {
  createEnsemble,
  type Ensemble,
  hasEnsemble,
  hasReport,
  networksOf,
  openEnsemble,
  reportFile,
  submissionFile,
} from "../reproduce/folder.ts";
import { type JobOptions, parseJob, runJob } from "../reproduce/jobs.ts";
import { prepareEnsemble } from "../reproduce/prepare.ts";
import { runOnCluster } from "../reproduce/slurm/cluster.ts";
import { readSlurmOptions, slurmArgs } from "../reproduce/slurm/options.ts";
import { checkQueue } from "../reproduce/slurm/queue.ts";
import { beginTry } from "../reproduce/slurm/tries.ts";
import { lockRun } from "../run/lock.ts";
import { printBlend } from "./blend.ts";

const args = {
  budget: {
    type: "string",
    description: "30m or 2h in all, 67h-per-model, 2000-steps (each), or full (default: 30m)",
    valueHint: "BUDGET",
  },
  members: {
    type: "string",
    description:
      "small, brief, winner, or a JSON file (default: winner for budgets a model, else small, or brief where there is time for few steps)",
    valueHint: "NAME|FILE",
  },
  data: dataArg,
  out: {
    type: "string",
    description: "Folder of everything; one that was begun goes on",
    default: "runs/reproduce",
    valueHint: "DIR",
  },
  plan: { type: "boolean", description: "Print the plan and stop", default: false },
  parallel: {
    type: "string",
    description: "Members side by side (default: what is measured to be fastest)",
    valueHint: "N",
  },
  "shard-size": {
    type: "string",
    description: "Galaxies whose predictions are saved together (default: 1000)",
    valueHint: "N",
  },
  ...slurmArgs,
  backend: backendArg,
  job: {
    type: "string",
    description: "Only these jobs of a planned folder, for schedulers: train/NAME,predict/NAME,…",
    valueHint: "JOBS",
  },
  threads: { ...threadsArg, description: "CPU threads of --job (default: all cores)" },
  workers: workersArg,
} as const;

export const reproduce = defineCommand({
  meta: {
    name: "reproduce",
    description: "An ensemble within a budget: plan, members, predictions, blend, report.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("reproduce", given, args);
    const slurm = readSlurmOptions(given);
    if (slurm) await checkQueue(slurm);
    const interrupt = onInterrupt(say);
    const { signal } = interrupt;
    const folder = resolve(given.out);
    const started = performance.now();
    try {
      if (given.job !== undefined)
        return await runJobs(openEnsemble(folder), given.job, {
          threads: integerArg("reproduce", "threads", given.threads),
          workers: integerArg("reproduce", "workers", given.workers),
          signal,
        });
      for (const name of ["threads", "workers"] as const)
        if (given[name] !== undefined)
          throw new CliError(
            `reproduce: expected --job for --${name}, since the plan divides the cores, but got none`,
          );
      const unlock = await lockRun(folder);
      try {
        let ensemble: Ensemble;
        if (hasEnsemble(folder)) {
          ensemble = openEnsemble(folder);
          sameAsPlanned(ensemble, given);
          if (given.plan) {
            say(`${folder} was planned for ${ensemble.budget}:`);
            for (const line of describeMembers(networksOf(ensemble))) say(line);
            return 0;
          }
          say(`going on with ${ensemble.planned.length} members in ${folder}`);
        } else {
          const prepared = await prepareEnsemble(given.members, {
            caller: "reproduce",
            folder,
            data: dataPath("reproduce", given.data),
            budget: given.budget ?? "30m",
            backend: given.backend,
            parallel: integerArg("reproduce", "parallel", given.parallel),
            shardSize: integerArg("reproduce", "shard-size", given["shard-size"]),
            slurm,
            started,
            signal,
          });
          if (!prepared) return 130;
          for (const line of prepared.lines) say(line);
          if (given.plan) return 0;
          ensemble = createEnsemble(folder, prepared.file);
        }
        const { finished, failed } = slurm
          ? await runOnCluster(ensemble, { slurm, signal })
          : await runEnsemble(ensemble, signal);
        if (!finished) {
          say(
            slurm
              ? "the jobs go on without being watched; the same command watches them again"
              : `stopped; the same command goes on, or: npm run kaggle -- reproduce --out ${given.out}`,
          );
          return 130;
        }
        const submission = submissionFile(ensemble);
        const blend = readBlend(submission);
        if (blend) printBlend(blend);
        console.log(`submission  ${submission}`);
        if (hasReport(ensemble)) console.log(`report      ${reportFile(ensemble)}`);
        say(`done in ${formatSeconds((performance.now() - started) / 1000)}`);
        for (const { name, reason } of failed) say(`without ${name}: ${reason}`);
        return failed.length > 0 ? 1 : 0;
      } finally {
        await unlock();
      }
    } finally {
      interrupt.release();
    }
  },
});

/** The exit code. */
async function runJobs(ensemble: Ensemble, names: string, options: JobOptions): Promise<number> {
  for (const job of names.split(",").map((name) => parseJob(name, ensemble))) {
    await beginTry(ensemble, job);
    if (!(await runJob(ensemble, job, options))) return 130;
  }
  return 0;
}

/** A folder's plan stands; another one needs another folder. */
function sameAsPlanned(
  ensemble: Ensemble,
  given: Record<"budget" | "members" | "data" | "parallel" | "shard-size", string | undefined> & {
    backend: string;
  },
): void {
  const { budget, members, data, backend, lanes, shardSize } = ensemble;
  const asked: [name: string, asked: string | undefined, planned: string][] = [
    ["budget", given.budget, budget],
    ["members", given.members, members],
    ["data", given.data && resolve(given.data), data],
    ["backend", given.backend === "auto" ? undefined : given.backend, backend],
    ["parallel", given.parallel, String(lanes)],
    ["shard-size", given["shard-size"], String(shardSize)],
  ];
  for (const [name, value, planned] of asked)
    if (value !== undefined && value !== planned)
      throw new CliError(
        `reproduce: ${ensemble.folder} was planned with --${name} ${planned}; go on without the option, or give another --out`,
      );
}
