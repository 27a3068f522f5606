/** What blending found out about the members, kept as FILE.blend.json beside the submission FILE.csv. */
import { existsSync } from "node:fs";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { writeAtomic } from "../run/run.ts";
import type { Strategy, StrategyChoice, Weights } from "./strategies.ts";

export interface BlendResult {
  formatVersion: 3;
  submission: string;
  /** Galaxies in the submission. */
  rows: number;
  members: {
    name: string;
    /** What it was read from, absolute paths. */
    files: string[];
  }[];
  /** The strategy of the submission. */
  strategy: Weights;
  /** Its weights: [answer][member]. */
  weights: number[][];
  /** What labels told; left out where there were none. */
  scores?: BlendScores;
  /** What to mind, in sentences. */
  warnings: string[];
}

/** Everything that is measured on the labelled galaxies. */
export interface BlendScores {
  /** Where the labels come from. */
  labels: string;
  rows: number;
  /** Whether the strategy was chosen by its cross-validated RMSE, or asked for. */
  chosen: "by score" | "as asked";
  strategies: Strategy[];
  /** What choosing by score scores, whether or not the strategy was chosen so. */
  choice: StrategyChoice;
  /** In the members' order. The leave-one-out values are of the chosen strategy, and absent for a single member. */
  members: { rmse: number; value?: number; crossValidatedValue?: number }[];
  /** Of the members' errors: [member][member]. */
  correlation: number[][];
}

/** What is read of it. */
const schema = v.looseObject({
  submission: v.string(),
  rows: v.number(),
  members: v.array(v.object({ name: v.string(), files: v.array(v.string()) })),
  strategy: v.string(),
  weights: v.array(v.array(v.number())),
  warnings: v.array(v.string()),
  scores: v.optional(
    v.looseObject({
      labels: v.string(),
      rows: v.number(),
      chosen: v.string(),
      strategies: v.array(
        v.looseObject({ strategy: v.string(), rmse: v.number(), crossValidatedRmse: v.number() }),
      ),
      choice: v.looseObject({ rmse: v.number() }),
      members: v.array(v.looseObject({ rmse: v.number() })),
      correlation: v.array(v.array(v.number())),
    }),
  ),
});

/** FILE.blend.json beside a submission FILE.csv. */
export const blendFile = (submission: string): string =>
  `${submission.replace(/\.csv$/, "")}.blend.json`;

/** Writes it, each list of numbers on one line. A line break inside brackets is never part of a string. */
export function writeBlend(result: BlendResult): void {
  const text = JSON.stringify(result, null, 1).replace(/\[\n[\d\s.,eE+-]*\]/g, (list) =>
    list.replace(/\s+/g, " "),
  );
  writeAtomic(blendFile(result.submission), `${text}\n`);
}

/**
 * What the submission scores on galaxies that had no part in it: by the strategy's cross-validation where it was asked
 * for, and by that of the choice where it was chosen. Undefined without labels.
 */
export function unseenRmse({ scores, strategy }: BlendResult): number | undefined {
  if (!scores) return undefined;
  if (scores.chosen === "by score") return scores.choice.rmse;
  return scores.strategies.find((found) => found.strategy === strategy)!.crossValidatedRmse;
}

/** Reads what blendMembers wrote beside a submission; undefined if it is not there. */
export function readBlend(submission: string): BlendResult | undefined {
  const file = blendFile(submission);
  if (!existsSync(file)) return undefined;
  const result = readJson("blend", file) as BlendResult | null;
  if (result?.formatVersion !== 3)
    throw new CliError(
      `blend: expected format version 3 in ${file} but got ${result?.formatVersion}; blend again`,
    );
  const checked = v.safeParse(schema, result);
  if (!checked.success)
    throw new CliError(
      `blend: expected what blend writes in ${file} but its ${v.getDotPath(checked.issues[0]) ?? "content"} is something else; blend again`,
    );
  return result;
}
