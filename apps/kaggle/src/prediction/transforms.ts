/** The transforms that predictions are averaged over, as a user names them. */
import { existsSync } from "node:fs";
import { type Draw, identityDraw } from "@gz/augment";
import { transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import * as v from "valibot";
import { checked } from "../cli/checked.ts";
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
  const where = { caller: "predict", what: "the grid", file: value };
  const { zooms, rotations, flips, translations } = checked(
    grid,
    readJson("predict", value),
    where,
  );
  return transforms({
    ...(zooms && { zooms }),
    ...(rotations && { rotations }),
    ...(flips && { flips }),
    ...(translations && { translations }),
  });
}

/** Whether it leaves the galaxy as it is. */
export function isIdentity({ zoom, rotation, shear, translation, flip }: Draw): boolean {
  return zoom === 1 && rotation === 0 && shear === 0 && translation.every((t) => t === 0) && !flip;
}
