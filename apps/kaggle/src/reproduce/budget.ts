/** What a person gives to a whole ensemble: time in all, time for each member, steps for each, or everything. */
import { CliError } from "../cli/errors.ts";

/** A command that plans runs; errors are in its name. */
export type Caller = "reproduce" | "experiments";

export type EnsembleBudget =
  /** Wall time of everything: measuring, training, predicting, blending. */
  | { kind: "total"; minutes: number }
  /** Training time of each member. */
  | { kind: "minutes"; minutes: number }
  /** Steps of each member: the same bytes on any day. */
  | { kind: "steps"; steps: number }
  /** Each recipe's own steps. */
  | { kind: "full" };

const MINUTES = { s: 1 / 60, m: 1, h: 60, d: 1440 } as const;

/** Reads 30m, 1h30m, 67h-per-model, 2000-steps or full. */
export function parseBudget(caller: Caller, text: string): EnsembleBudget {
  if (text === "full") return { kind: "full" };
  const steps = /^([1-9]\d*)-steps$/.exec(text);
  if (steps) return { kind: "steps", steps: Number(steps[1]) };
  const time = /^((?:\d+(?:\.\d+)?[smhd])+)(-per-model)?$/.exec(text);
  const minutes = [...(time?.[1]?.matchAll(/([\d.]+)([smhd])/g) ?? [])].reduce(
    (sum, [, value, unit]) => sum + Number(value) * MINUTES[unit as keyof typeof MINUTES],
    0,
  );
  if (minutes === 0)
    throw new CliError(
      `${caller}: expected a budget such as 30m, 1h30m, 67h-per-model, 2000-steps or full for --budget but got ${text}`,
    );
  return { kind: time?.[2] ? "minutes" : "total", minutes };
}
