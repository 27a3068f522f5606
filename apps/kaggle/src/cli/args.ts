/** Options that several commands share, and the checks that citty leaves to us. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ArgsDef } from "citty";
import { openRun } from "../run/run.ts";
import { CliError } from "./errors.ts";

export const dataArg = {
  type: "string",
  description:
    "Data set: Kaggle's folder or zips, or images/ + labels.csv (default: the run's own, else $GALAXY_ZOO_DIR)",
  valueHint: "DIR",
} as const;

export const backendArg = {
  type: "string",
  description: "auto, gpu (an error without one), tensorflow, webgpu or wasm",
  default: "auto",
  valueHint: "NAME",
} as const;

export const workersArg = {
  type: "string",
  description: "Threads that prepare images (default: by cores)",
  valueHint: "N",
} as const;

export const threadsArg = {
  type: "string",
  description: "CPU threads of the backend (default: all cores)",
  valueHint: "N",
} as const;

export const checkpointArg = {
  type: "string",
  description: "Which of the run's: latest, or best, of the lowest validation RMSE",
  default: "latest",
  valueHint: "WHICH",
} as const;

/** Refuses what the command does not take, options or `others` beside them; citty passes them through in silence. */
export function refuseUnknown(
  command: string,
  args: Record<string, unknown> & { _: readonly string[] },
  known: ArgsDef,
  { others = false }: { others?: boolean } = {},
): void {
  const names = new Set(
    Object.keys(known).flatMap((name) => [name, name.replace(/-(\w)/g, (_, c) => c.toUpperCase())]),
  );
  for (const name of Object.keys(args))
    if (name !== "_" && !names.has(name))
      throw new CliError(`${command}: unknown option --${name}; see kaggle ${command} --help`);
  if (!others && args._.length > 0)
    throw new CliError(
      `${command}: expected options alone but got ${args._.join(" ")}; see kaggle ${command} --help`,
    );
}

/** The data set's path: as given, else the one that the run was trained on, else GALAXY_ZOO_DIR's. */
export function dataPath(command: string, value: string | undefined, run?: string): string {
  const own =
    run !== undefined && existsSync(join(run, "run.json"))
      ? openRun(run).info.data.path
      : undefined;
  const path = value ?? own ?? process.env.GALAXY_ZOO_DIR;
  if (!path)
    throw new CliError(
      `${command}: expected a data set for --data (or in GALAXY_ZOO_DIR) but got none`,
    );
  return resolve(path);
}

/** One of a few words. */
export function choiceArg<Choice extends string>(
  command: string,
  name: string,
  value: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw new CliError(
      `${command}: expected ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)} for --${name} but got ${value}`,
    );
  return found;
}

/** A positive whole number given as text. */
export function integerArg(
  command: string,
  name: string,
  value: string | undefined,
  minimum = 1,
): number | undefined {
  const isOne = (number: number) => Number.isInteger(number) && number >= minimum;
  return numberArg(command, name, value, `a whole number of at least ${minimum}`, isOne);
}

/** A positive number given as text. */
export function positiveArg(
  command: string,
  name: string,
  value: string | undefined,
): number | undefined {
  const isOne = (number: number) => number > 0 && Number.isFinite(number);
  return numberArg(command, name, value, "a positive number", isOne);
}

/** A number from 0 to 1 given as text. */
export function fractionArg(
  command: string,
  name: string,
  value: string | undefined,
): number | undefined {
  const isOne = (number: number) => value?.trim() !== "" && number >= 0 && number <= 1;
  return numberArg(command, name, value, "a number from 0 to 1", isOne);
}

function numberArg(
  command: string,
  name: string,
  value: string | undefined,
  expected: string,
  isExpected: (number: number) => boolean,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!isExpected(number))
    throw new CliError(`${command}: expected ${expected} for --${name} but got ${value}`);
  return number;
}

/** "2/4": the second of four. */
export function partArg(
  command: string,
  name: string,
  value: string | undefined,
): { index: number; of: number } | undefined {
  if (value === undefined) return undefined;
  const [, index = 0, of = 0] = /^(\d+)\/(\d+)$/.exec(value)?.map(Number) ?? [];
  if (index < 1 || index > of)
    throw new CliError(`${command}: expected K/N, K of 1 to N, for --${name} but got ${value}`);
  return { index, of };
}
