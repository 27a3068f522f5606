/**
 * What a budget buys: each member's share of it, how many transforms predictions are averaged over, the time and disk
 * that it takes, and what it cannot reach. Pure: numbers in, a plan out.
 */

import type { Draw } from "@gz/augment";
import { transforms as combine, WINNER_TRANSFORMS } from "@gz/ensemble";
import { CliError } from "../cli/errors.ts";
import { formatSeconds } from "../cli/progress.ts";
import type { Speed } from "../machine/measure.ts";
import { computedTransforms } from "../prediction/shared-parts.ts";
import type { Budget } from "../run/run.ts";
import { VALIDATION_SHARE } from "../training/clock.ts";
import type { Caller, EnsembleBudget } from "./budget.ts";
import type { Member } from "./members.ts";
import { remarksOnSteps, remarksOnTransforms } from "./plan-remarks.ts";

export interface PlanInput {
  members: readonly Member[];
  /** What they start from, trained alone before them for a share of a total budget. */
  start?: { member: Member; share: number; speed: Speed } | undefined;
  budget: EnsembleBudget;
  /** One for each member. */
  speeds: readonly Speed[];
  /** Members that run side by side. */
  lanes: number;
  galaxies: { valid: number; test: number };
  /** Seconds of the budget that are gone already. */
  spentSeconds: number;
  /** Decoded pixels on disk. */
  cacheBytes: number;
  /** What predictions are averaged over; left out, as many of the winner's as the budget has room for. */
  transforms?: readonly Draw[] | undefined;
  /** Whose errors these are, and what it has fewer of for a budget that is too small. */
  caller: Caller;
}

const FEWER = { reproduce: "fewer --members", experiments: "fewer variants (--only) or --seeds" };

export interface PlannedMember extends Member {
  budget: Budget;
  /** Expected ones where the budget is minutes. */
  steps: number;
  trainSeconds: number;
  predictSeconds: number;
}

export interface Plan {
  members: PlannedMember[];
  /** What they go on from, trained before them. */
  start?: PlannedMember;
  transforms: readonly Draw[];
  lanes: number;
  /** From the start of the first member to the report. */
  seconds: number;
  bytes: number;
  /** What the budget cannot reach, a sentence each. */
  remarks: string[];
}

const TURNS = Array.from({ length: 10 }, (_, i) => 36 * i);
const FLIPS = [false, true];
/**
 * What predictions may be averaged over, each where it takes at most so much of a member's time in a total budget: the
 * winner's 60; without his zooms; quarter turns, which resample nothing anew; none. More than quarter turns have to be
 * cheap: in a budget of 20 minutes two of the eight that a member of `modern` had bought 0.0001 of RMSE.
 */
const TRANSFORMS: readonly { transforms: readonly Draw[]; share: number }[] = [
  { transforms: WINNER_TRANSFORMS, share: 0.2 },
  { transforms: combine({ rotations: TURNS, flips: FLIPS }), share: 0.1 },
  { transforms: combine({ rotations: [0, 90, 180, 270], flips: FLIPS }), share: 0.3 },
  { transforms: combine(), share: Number.POSITIVE_INFINITY },
];
const LEAST = TRANSFORMS.at(-1)!;
/** Seconds of blending and the report, and those of a galaxy and member. */
const FINISH = { base: 10, galaxy: 1e-4 };
/** Validations of up to 1,024 galaxies each during training. */
const VALIDATIONS = { times: 20, galaxies: 1024 };
/** Checkpoints kept: two, the best, and one that is being written. */
const CHECKPOINTS = 4;
/** Bytes of a row of predictions, 37 decimals; means and single views, shards and whole. */
const ROW_BYTES = 37 * 11 * 4;
/** A shorter training is no training. */
const LEAST_STEPS = 20;
export function planEnsemble(input: PlanInput): Plan {
  const { members, start, budget, speeds, lanes, galaxies, cacheBytes, caller } = input;
  const count = galaxies.valid + galaxies.test;
  const finish = FINISH.base + FINISH.galaxy * count * members.length;
  const rounds = Math.ceil(members.length / lanes);
  /** Of the seconds that a total budget leaves, those of a member and those of the start. */
  const shares = { member: (1 - (start?.share ?? 0)) / rounds, start: start?.share ?? 0 };
  const left =
    budget.kind === "total"
      ? budget.minutes * 60 - input.spentSeconds - finish
      : Number.POSITIVE_INFINITY;
  const slot = left * shares.member;
  const predictSeconds = ({ recipe }: Member, { predictMs }: Speed, transforms: readonly Draw[]) =>
    (predictMs * count * computedTransforms(recipe, transforms)) / 1000;
  const slowest = (transforms: readonly Draw[]) =>
    Math.max(...members.map((member, i) => predictSeconds(member, speeds[i]!, transforms)));
  const transforms =
    input.transforms ??
    // Where nothing is left to divide, the first member says so below.
    (TRANSFORMS.find(({ transforms, share }) => slowest(transforms) <= share * slot) ?? LEAST)
      .transforms;

  const planOne = (
    member: Member,
    speed: Speed,
    { share, prediction }: { share: number; prediction: number },
  ): PlannedMember => {
    const validation =
      (VALIDATIONS.times * Math.min(galaxies.valid, VALIDATIONS.galaxies) * speed.predictMs) / 1000;
    if (budget.kind === "full" || budget.kind === "steps") {
      const steps = budget.kind === "full" ? member.recipe.steps : budget.steps;
      const trainSeconds = speed.startSeconds + validation + (steps * speed.stepMs) / 1000;
      return { ...member, budget: { steps }, steps, trainSeconds, predictSeconds: prediction };
    }
    const seconds =
      budget.kind === "minutes"
        ? budget.minutes * 60
        : left * share - speed.startSeconds - prediction;
    const steps = Math.floor(
      ((seconds - Math.min(validation, VALIDATION_SHARE * seconds)) * 1000) / speed.stepMs,
    );
    if (steps < LEAST_STEPS) {
      const least =
        (speed.stepMs * LEAST_STEPS) / 1000 + validation + speed.startSeconds + prediction;
      const total =
        budget.kind === "total" ? input.spentSeconds + finish + least / share : least - prediction;
      throw new CliError(
        `${caller}: expected at least ${formatSeconds(Math.ceil(total))}${budget.kind === "total" ? "" : " a model"} for --budget, or ${FEWER[caller]}, but ${member.name} would get ${Math.max(0, steps)} steps`,
      );
    }
    return {
      ...member,
      budget: { minutes: seconds / 60 },
      steps,
      trainSeconds: speed.startSeconds + seconds,
      predictSeconds: prediction,
    };
  };
  const first = start && planOne(start.member, start.speed, { share: shares.start, prediction: 0 });
  const planned = members.map((member, i) =>
    planOne(member, speeds[i]!, {
      share: shares.member,
      prediction: predictSeconds(member, speeds[i]!, transforms),
    }),
  );
  return {
    members: planned,
    ...(first && { start: first }),
    transforms,
    lanes,
    seconds:
      finish +
      (first?.trainSeconds ?? 0) +
      makespan(
        planned.map((m) => m.trainSeconds + m.predictSeconds),
        lanes,
      ),
    bytes:
      cacheBytes +
      (members.length + 1) * count * ROW_BYTES +
      [...speeds, ...(start ? [start.speed] : [])].reduce(
        (sum, { checkpointBytes }) => sum + CHECKPOINTS * checkpointBytes,
        0,
      ),
    remarks: [
      ...remarksOnSteps(planned, first?.steps),
      ...(input.transforms ? [] : remarksOnTransforms(transforms, slowest(WINNER_TRANSFORMS))),
    ],
  };
}

/** Seconds until all are done, each started in order by the first of the lanes that is free. */
export function makespan(seconds: readonly number[], lanes: number): number {
  const free = new Array<number>(lanes).fill(0);
  for (const duration of seconds) free[free.indexOf(Math.min(...free))]! += duration;
  return Math.max(...free);
}

/** Members side by side, of the numbers that were measured, that train them all soonest within the memory. */
export function chooseLanes(
  members: number,
  measured: readonly { lanes: number; stepMs: number; memoryBytes: number }[],
  memoryBytes: number,
): number {
  const fits = measured.filter((m) => m.lanes === 1 || m.lanes * m.memoryBytes <= memoryBytes);
  const time = ({ lanes, stepMs }: { lanes: number; stepMs: number }) =>
    Math.ceil(members / lanes) * stepMs;
  return fits.reduce((best, other) => (time(other) < time(best) ? other : best)).lanes;
}
