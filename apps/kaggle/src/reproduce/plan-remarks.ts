/** What a budget cannot reach, a sentence each. */
import type { Draw } from "@gz/augment";
import { WINNER_TRANSFORMS } from "@gz/ensemble";
import { formatSeconds } from "../cli/progress.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { PlannedMember } from "./plan.ts";

/**
 * Steps in which the winner's initialisation was measured not to leave the plateau of the mean label
 * (batch 16, 4,000 galaxies).
 */
const PLATEAU_STEPS = 2000;

/** @param before steps whose weights they go on from */
export function remarksOnSteps(members: readonly PlannedMember[], before = 0): string[] {
  const remarks: string[] = [];
  const stuck = members.filter((m) => startsFlat(m.recipe) && before + m.steps <= PLATEAU_STEPS);
  if (stuck.length > 0)
    remarks.push(
      `${names(stuck)}: with the winner's initial weights ${PLATEAU_STEPS.toLocaleString("en")} steps did not leave the plateau of the mean label; fewer cannot be expected to (--members small is made for this budget)`,
    );
  const shareOf = ({ steps, recipe }: PlannedMember) => (before + steps) / recipe.steps;
  const short = members.filter((m) => !stuck.includes(m) && shareOf(m) < 0.5);
  if (short.length > 0) {
    const share = Math.min(...short.map(shareOf));
    remarks.push(
      `${names(short)}: ${(100 * share).toPrecision(2)} % of the recipe's steps at the least; the schedule is drawn together to fit`,
    );
  }
  return remarks;
}

/** @param seconds that all of the winner's transforms take a member */
export function remarksOnTransforms(transforms: readonly Draw[], seconds: number): string[] {
  if (transforms === WINNER_TRANSFORMS) return [];
  return [
    `predictions are averaged over ${transforms.length} of the winner's 60 transforms, since all take ${formatSeconds(seconds)} a member`,
  ];
}

/** The winner's start: small Gaussian weights under plain SGD. */
function startsFlat({ network, optimizer }: Recipe): boolean {
  return network.kind === "parts" && optimizer.kind === "nesterov" && network.conv[0]?.std !== "he";
}

function names(members: readonly PlannedMember[]): string {
  const [first, second] = members;
  if (members.length > 3) return `${first!.name} and ${members.length - 1} more`;
  return second ? members.map(({ name }) => name).join(", ") : first!.name;
}
