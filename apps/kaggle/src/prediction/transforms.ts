/** The transforms that predictions are averaged over, as a user names them. */
import { existsSync } from "node:fs";
import { type Draw, identityDraw } from "@gz/augment";
import { transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";

const grid = v.strictObject({
  zooms: v.optional(v.array(v.number())),
  rotations: v.optional(v.array(v.number())),
  flips: v.optional(v.array(v.boolean())),
  translations: v.optional(v.array(v.tuple([v.number(), v.number()]))),
});

/** "60" (the winner's), "1" (none), or a JSON file: { zooms, rotations, flips, translations }, every combination. */
export function readTransforms(value: string): readonly Draw[] {
  if (value === "60") return WINNER_TRANSFORMS;
  if (value === "1") return [identityDraw];
  if (!existsSync(value))
    throw new CliError(`predict: expected 60, 1 or a JSON file for --transforms but got ${value}`);
  const result = v.safeParse(grid, readJson("predict", value));
  if (!result.success) {
    const issue = result.issues[0];
    throw new CliError(
      `predict: expected ${issue.expected} for ${v.getDotPath(issue) ?? "the grid"} in ${value} but got ${issue.received}`,
    );
  }
  const { zooms, rotations, flips, translations } = result.output;
  return transforms({
    ...(zooms && { zooms }),
    ...(rotations && { rotations }),
    ...(flips && { flips }),
    ...(translations && { translations }),
  });
}
