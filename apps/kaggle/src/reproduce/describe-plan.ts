/** A plan as lines of text. */
import { formatSeconds } from "../cli/progress.ts";
import type { Plan } from "./plan.ts";

export interface PlanPlace {
  /** Of the disk that the folder is on; undefined where the system does not tell. */
  freeBytes: number | undefined;
  /** In words, as each member gets it. */
  backend: string;
  /** Whether members are jobs of a cluster, side by side if it has room for all. */
  cluster: boolean;
}

export function describePlan(plan: Plan, { freeBytes, backend, cluster }: PlanPlace): string[] {
  const { members, start, lanes, transforms, seconds, bytes, remarks } = plan;
  const side = cluster
    ? "each a Slurm job,"
    : lanes > 1
      ? `${lanes} side by side, each`
      : "one after the other";
  const time = `about ${formatSeconds(seconds)} in all${cluster ? " once all of them run" : ""}`;
  const free = freeBytes === undefined ? "" : ` of ${gigabytes(freeBytes)} free`;
  return [
    ...(start
      ? ["first, with the whole machine, what all members go on from", ...describeMembers([start])]
      : []),
    `${members.length} ${members.length > 1 ? "members" : "member"}, ${side} on ${backend}`,
    ...describeMembers(members),
    `  ${transforms.length} transforms · ${time} · ${gigabytes(bytes)}${free}`,
    ...(freeBytes !== undefined && bytes > freeBytes
      ? ["  ! the disk has too little room for it"]
      : []),
    ...remarks.map((remark) => `  ! ${remark}`),
  ];
}

/** A line for each member: its seed, its budget, the time that is expected. */
export function describeMembers(members: Plan["members"]): string[] {
  const rows = members.map(({ name, seed, budget, steps, trainSeconds, predictSeconds }) => [
    name,
    `seed ${seed}`,
    "steps" in budget
      ? `${steps.toLocaleString("en")} steps`
      : `${minutes(budget.minutes)}, about ${steps.toLocaleString("en")} steps`,
    `train ${formatSeconds(trainSeconds)}`,
    `predict ${formatSeconds(predictSeconds)}`,
  ]);
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  const padded = (row: string[]) => row.map((cell, k) => cell.padEnd(widths[k]!)).join("  ");
  return rows.map((row) => `  ${padded(row).trimEnd()}`);
}

function minutes(value: number): string {
  return formatSeconds(value * 60);
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
