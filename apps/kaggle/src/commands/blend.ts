import { defineCommand } from "citty";
import { refuseUnknown } from "../args.ts";
import { type BlendResult, blendMembers, WEIGHTS, type Weights } from "../blend.ts";
import { CliError } from "../errors.ts";

const args = {
  out: { type: "string", description: "The submission", required: true, valueHint: "FILE.csv" },
  labels: {
    type: "string",
    description: "Labels (CSV or data set), to score and to fit weights on",
    valueHint: "FILE",
  },
  weights: {
    type: "string",
    description: "uniform, shared (one a member) or column (one a member and answer)",
    default: "uniform",
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
    refuseUnknown("blend", given, args);
    const { weights } = given;
    if (!WEIGHTS.includes(weights as Weights))
      throw new CliError(`blend: expected ${WEIGHTS.join(", ")} for --weights but got ${weights}`);
    const result = await blendMembers({
      members: given._,
      out: given.out,
      labels: given.labels,
      weights: weights as Weights,
    });
    for (const line of describeBlend(result)) console.log(line);
  },
});

/** The scores of members and strategies as lines of text. */
export function describeBlend({
  members,
  strategies,
  weights,
  pruned,
  rows,
  submission,
}: BlendResult): string[] {
  const width = Math.max(...members.map(({ name }) => name.length), 8);
  const lines = members.map(
    ({ name, rmse }) => `${name.padEnd(width)}  ${rmse === undefined ? "" : rmse.toFixed(5)}`,
  );
  for (const { strategy, rmse, crossValidatedRmse } of strategies ?? [])
    lines.push(
      `${strategy.padEnd(width)}  ${rmse.toFixed(5)}  on unseen folds ${crossValidatedRmse.toFixed(5)}${strategy === weights ? "  <- written" : ""}`,
    );
  for (const { name, reason } of pruned?.dropped ?? [])
    lines.push(`${name} could be dropped: ${reason}`);
  lines.push(`${submission}: ${rows} galaxies`);
  return lines;
}
