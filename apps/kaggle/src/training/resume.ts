/** What a later start of a run may change, and what it may not. */
import { CliError } from "../cli/errors.ts";
import type { Budget, Run, RunInfo } from "../run/run.ts";

/**
 * Throws a CliError unless the run, with `done` steps behind it, can go on with this budget on this data set: the same
 * galaxies with the same labels, wherever they lie.
 */
export function checkResumed(
  { folder, info }: Run,
  { budget, data, done }: { budget: Budget; data: RunInfo["data"]; done: number },
): void {
  const { train, valid, fingerprint } = info.data;
  if (train !== data.train || valid !== data.valid)
    throw new CliError(
      `train: expected the ${train} + ${valid} galaxies that ${folder} was started with but ${data.path} has ${data.train} + ${data.valid}`,
    );
  if (fingerprint !== undefined && fingerprint !== data.fingerprint)
    throw new CliError(
      `train: expected the galaxies and labels that ${folder} was started with, ${info.data.path}, but ${data.path} has others`,
    );
  // Of a run by the clock it is not known how many steps it will be, and of one by steps not how long.
  const [kind, asked] = [info.budget, budget].map((one) => ("steps" in one ? "steps" : "minutes"));
  if (asked !== kind)
    throw new CliError(
      `train: expected --${kind}, as ${folder} was started with, but got --${asked}`,
    );
  if ("steps" in budget && budget.steps < done)
    throw new CliError(
      `train: expected at least the ${done} steps that ${folder} has done for --steps but got ${budget.steps}`,
    );
}
