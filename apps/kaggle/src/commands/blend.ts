import { defineCommand } from "citty";
import { blendMembers } from "../blending/blend.ts";
import type { BlendResult } from "../blending/blend-result.ts";
import { overfits, WEIGHTS, type Weights } from "../blending/strategies.ts";
import { refuseUnknown } from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";

const args = {
  out: { type: "string", description: "The submission", required: true, valueHint: "FILE.csv" },
  labels: {
    type: "string",
    description: "Labels (CSV or data set), to score and to fit weights on",
    valueHint: "FILE",
  },
  weights: {
    type: "string",
    description: `${WEIGHTS.join(", ")}; or auto, the lowest RMSE on unseen folds (default: auto with --labels, else uniform)`,
    valueHint: "KIND",
  },
} as const;

export const blend = defineCommand({
  meta: {
    name: "blend",
    description: "Members' predictions (A.csv B.csv …, or run folders) into one submission.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("blend", given, args, { others: true });
    const { weights } = given;
    const kinds: readonly string[] = ["auto", ...WEIGHTS];
    if (weights !== undefined && !kinds.includes(weights))
      throw new CliError(`blend: expected ${kinds.join(", ")} for --weights but got ${weights}`);
    const result = await blendMembers({
      members: given._,
      out: given.out,
      labels: given.labels,
      weights: weights as Weights | "auto" | undefined,
    });
    printBlend(result);
  },
});

/** Prints what was found out, and warns. */
export function printBlend(result: BlendResult): void {
  for (const line of describeBlend(result)) console.log(line);
  for (const warning of result.warnings) say(`warning: ${warning}`);
}

/** The scores of members and strategies as lines of text. */
function describeBlend({
  members,
  strategy: chosen,
  scores,
  rows,
  submission,
}: BlendResult): string[] {
  const end = `${submission}: ${rows} galaxies, ${chosen} weights of ${members.length}`;
  if (!scores) return [...members.map(({ name }) => name), end];
  const width = Math.max(...members.map(({ name }) => name.length), 8);
  return [
    `${"member".padEnd(width)}  RMSE     worth (RMSE on unseen folds without it, less with it)`,
    ...members.map(({ name }, i) => {
      const { rmse, crossValidatedValue: value } = scores.members[i]!;
      return `${name.padEnd(width)}  ${rmse.toFixed(5)}${value === undefined ? "" : `  ${signed(value)}`}`;
    }),
    `${"weights".padEnd(width)}  RMSE     on unseen folds`,
    ...scores.strategies.map((found) => {
      const { strategy, rmse, crossValidatedRmse, fitted } = found;
      const notes = [
        ...(overfits(found, scores.rows)
          ? [`  over-fits: ${fitted} weights, ${scores.rows} galaxies`]
          : []),
        ...(strategy === chosen ? ["  <- written"] : []),
      ];
      return `${strategy.padEnd(width)}  ${rmse.toFixed(5)}  ${crossValidatedRmse.toFixed(5)}${notes.join("")}`;
    }),
    // The lowest of a column is not what the next galaxies will show.
    ...(scores.chosen === "by score" && members.length > 1
      ? [
          `${"auto".padEnd(width)}           ${scores.choice.rmse.toFixed(5)}  the choice, too, made without the fold: what new galaxies will show`,
        ]
      : []),
    end,
  ];
}

function signed(value: number): string {
  const text = value.toFixed(5);
  return value > 0 ? `+${text}` : text.replace(/^-(0\.0+)$/, " $1");
}
