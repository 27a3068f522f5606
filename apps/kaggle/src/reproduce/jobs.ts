/**
 * What an ensemble is made by, in jobs that any scheduler can run: each does what its folder lacks, and nothing when
 * it lacks nothing.
 */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { blendMembers } from "../blending/blend.ts";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import { evaluateBlend } from "../evaluation/evaluation.ts";
import { predictRun } from "../prediction/predict.ts";
import { writeReport } from "../report/report.ts";
import { InUseError } from "../run/lock.ts";
import { trainRun } from "../training/train.ts";
import { decodeFor } from "./decode.ts";
import {
  type Ensemble,
  hasReport,
  isBlended,
  isPredicted,
  isReady,
  isStarted,
  memberFolder,
  networksOf,
  reportFile,
  submissionFile,
  trainedFraction,
} from "./folder.ts";
import type { PlannedMember } from "./plan.ts";

export type Job =
  | { kind: "decode" }
  | { kind: "train"; member: string }
  /** A part leaves the joining to a later job without. */
  | { kind: "predict"; member: string; part?: { index: number; of: number } }
  | { kind: "blend" };

/** decode, train/NAME, predict/NAME, predict/NAME/2-of-8, blend */
export function formatJob(job: Job): string {
  if (job.kind === "decode" || job.kind === "blend") return job.kind;
  const part = job.kind === "predict" && job.part ? `/${job.part.index}-of-${job.part.of}` : "";
  return `${job.kind}/${job.member}${part}`;
}

export function parseJob(text: string, ensemble: Ensemble): Job {
  if (text === "decode" || text === "blend") return { kind: text };
  const [, kind, member = "", index, of] =
    /^(train|predict)\/([^/]+)(?:\/(\d+)-of-(\d+))?$/.exec(text) ?? [];
  const isPart = index === undefined || (Number(index) >= 1 && Number(index) <= Number(of));
  const known = kind === "train" ? networksOf(ensemble) : ensemble.planned;
  const isKnown = known.some(({ name }) => name === member);
  if (!isKnown || !isPart || (kind === "train" && index !== undefined))
    throw new CliError(
      `reproduce: expected decode, train/NAME, predict/NAME, predict/NAME/K-of-N (K of 1 to N) or blend for --job, with a member of ${ensemble.folder}, but got ${text}`,
    );
  if (kind === "train") return { kind, member };
  const part = index === undefined ? undefined : { index: Number(index), of: Number(of) };
  return { kind: "predict", member, ...(part && { part }) };
}

export interface JobOptions {
  threads: number | undefined;
  workers: number | undefined;
  signal: AbortSignal;
}

/** Runs a job here; false when it was interrupted, with everything saved. */
export async function runJob(ensemble: Ensemble, job: Job, options: JobOptions): Promise<boolean> {
  if (job.kind === "decode")
    return decodeFor(networksOf(ensemble), ensemble.data, ensemble.galaxies, options.signal);
  if (job.kind === "blend") {
    await blendAll(ensemble, options);
    return true;
  }
  const member = networksOf(ensemble).find(({ name }) => name === job.member)!;
  if (job.kind === "train") return trainMember(ensemble, member, options);
  await predictMember(ensemble, member, job.part, options);
  return true;
}

/** An earlier process that was told to stop may still be saving. */
const PATIENCE_MS = 60_000;

async function whenFree<Result>(
  work: () => Promise<Result>,
  { signal }: JobOptions,
): Promise<Result> {
  const asked = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InUseError) || performance.now() - asked > PATIENCE_MS) throw error;
      say(`${error.message}; waiting for it to end`);
      await sleep(2000, undefined, { signal });
    }
  }
}

async function trainMember(
  ensemble: Ensemble,
  member: PlannedMember,
  options: JobOptions,
): Promise<boolean> {
  if ((await trainedFraction(ensemble, member)) === 1) return true;
  const { recipe, seed, budget, pseudoLabels } = member;
  const { start } = ensemble;
  const from = start && member !== start && !isStarted(ensemble, member) ? start : undefined;
  if (from && (await trainedFraction(ensemble, from)) < 1)
    throw new CliError(
      `reproduce: ${member.name} goes on from ${from.name}, which is not trained to its end yet`,
    );
  const train = () =>
    trainRun({
      ...options,
      recipe,
      data: ensemble.data,
      out: memberFolder(ensemble, member),
      budget,
      resume: isStarted(ensemble, member),
      backend: ensemble.backend,
      seed,
      pseudoLabels,
      ...(from && { from: memberFolder(ensemble, from) }),
      checkpointSteps: undefined,
    });
  return (await whenFree(train, options)).finished;
}

async function predictMember(
  ensemble: Ensemble,
  member: PlannedMember,
  part: { index: number; of: number } | undefined,
  options: JobOptions,
): Promise<void> {
  if (isPredicted(ensemble, member)) return;
  if ((await trainedFraction(ensemble, member)) < 1)
    throw new CliError(`reproduce: ${member.name} is not trained to its end yet`);
  const predict = () =>
    predictRun({
      ...options,
      run: memberFolder(ensemble, member),
      data: ensemble.data,
      split: ensemble.galaxies.test > 0 ? "all" : "valid",
      transforms: ensemble.transforms,
      backend: ensemble.backend,
      shardSize: ensemble.shardSize,
      part,
    });
  await whenFree(predict, options);
}

/** Blends what is predicted, whole or in shards that are all there, and says what is not. */
async function blendAll(ensemble: Ensemble, options: JobOptions): Promise<void> {
  const ready: PlannedMember[] = [];
  for (const member of ensemble.planned) {
    if (!isPredicted(ensemble, member) && (await isReady(ensemble, member)))
      await predictMember(ensemble, member, undefined, options);
    if (isPredicted(ensemble, member)) ready.push(member);
    else say(`${member.name} is not predicted; the blend is of the others`);
  }
  if (ready.length === 0)
    throw new CliError(`reproduce: no member of ${ensemble.folder} is predicted yet`);
  if (await isBlended(ensemble)) return;
  const runs = ready.map((member) => memberFolder(ensemble, member));
  const out = submissionFile(ensemble);
  // Written last, it says that all is done: that of an earlier blend must not.
  rmSync(reportFile(ensemble), { force: true });
  await blendMembers({ members: runs, out, labels: ensemble.data });
  await evaluateBlend(out, ensemble.data);
  if (hasReport(ensemble))
    await writeReport({ runs, out: reportFile(ensemble), data: ensemble.data, blend: out });
  else say("there is no report: its page is of Kaggle's questions");
}
