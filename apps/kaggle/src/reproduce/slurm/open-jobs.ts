/** What an ensemble's folder lacks, as jobs for arrays: read from the files, whoever makes them. */
import { isShardDone, shardsOfPart } from "../../prediction/shards.ts";
import {
  type Ensemble,
  isBlended,
  isPredicted,
  isStarted,
  memberShards,
  trainedFraction,
} from "../folder.ts";
import { formatJob, type Job } from "../jobs.ts";
import type { PlannedMember } from "../plan.ts";

/** A job of the ensemble that is not done yet. */
export interface OpenJob {
  job: Job;
  /** formatJob's. */
  name: string;
  /** Tasks that go into one array have the same. */
  array: string;
  /** Names of jobs that have to end before it. */
  after: string[];
}

/** Planned time of a part of a member's predictions: long beside a start, short beside a cluster's patience. */
const PART_SECONDS = 600;
/** Slurm's own limit of tasks in an array, unless a cluster sets another. */
const MOST_PARTS = 1000;

/** In the order in which they can be made; the blend, which takes what there is, comes last. */
export async function openJobs(ensemble: Ensemble): Promise<OpenJob[]> {
  const trainings: OpenJob[] = [];
  const predictions: OpenJob[] = [];
  const start = await openStart(ensemble);
  for (const member of ensemble.planned) {
    if (isPredicted(ensemble, member)) continue;
    const after = start && !isStarted(ensemble, member) ? [start.name] : [];
    const training = openJob({ kind: "train", member: member.name }, "train", after);
    const isTrained = (await trainedFraction(ensemble, member)) === 1;
    if (!isTrained) trainings.push(training);
    const shards = isTrained ? await memberShards(ensemble, member) : [];
    const of = partsOf(ensemble, member);
    for (let index = 1; index <= of; index++) {
      const part = { index, of };
      if (isTrained && shardsOfPart(shards, part).every(isShardDone)) continue;
      predictions.push(
        openJob(
          { kind: "predict", member: member.name, part },
          `predict-${member.name}`,
          isTrained ? [] : [training.name],
        ),
      );
    }
  }
  const isAwaited = trainings.some(({ after }) => after.length > 0);
  const open = [...(start && isAwaited ? [start] : []), ...trainings, ...predictions];
  if (open.length > 0 || !(await isBlended(ensemble)))
    open.push(
      openJob(
        { kind: "blend" },
        "blend",
        open.map(({ name }) => name),
      ),
    );
  return open;
}

/** The training that members go on from, where it is not done. */
async function openStart(ensemble: Ensemble): Promise<OpenJob | undefined> {
  const { start } = ensemble;
  if (!start || (await trainedFraction(ensemble, start)) === 1) return undefined;
  return openJob({ kind: "train", member: start.name }, "start");
}

function openJob(job: Job, array: string, after: string[] = []): OpenJob {
  return { job, name: formatJob(job), array, after };
}

/** A plan's own, so that everyone who opens the folder divides the work alike. */
function partsOf({ galaxies, shardSize }: Ensemble, { predictSeconds }: PlannedMember): number {
  const shards = Math.ceil(galaxies.valid / shardSize) + Math.ceil(galaxies.test / shardSize);
  return Math.min(shards, MOST_PARTS, Math.max(1, Math.ceil(predictSeconds / PART_SECONDS)));
}
