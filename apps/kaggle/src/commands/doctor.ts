import { defineCommand } from "citty";
import {
  backendArg,
  dataArg,
  dataPath,
  integerArg,
  positiveArg,
  refuseUnknown,
  threadsArg,
  workersArg,
} from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { say } from "../cli/progress.ts";
import { doctorReport } from "../machine/doctor.ts";
import { type Measured, measureRecipe } from "../machine/measure.ts";
import { loadRecipe } from "../recipe/recipe.ts";

const args = {
  recipe: {
    type: "string",
    description: "Measure this recipe's steps and predictions on real data instead",
    valueHint: "NAME|FILE",
  },
  data: dataArg,
  backend: backendArg,
  threads: threadsArg,
  workers: workersArg,
  seconds: {
    type: "string",
    description: "Of each measurement (default: 10)",
    valueHint: "S",
  },
  json: { type: "boolean", description: "The measurement as JSON", default: false },
} as const;

export const doctor = defineCommand({
  meta: {
    name: "doctor",
    description: "What works on this machine, how fast, and how to get the rest.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("doctor", given, args);
    if (given.recipe === undefined) {
      const notGiven: unknown[] = [undefined, backendArg.default, false];
      for (const name of ["data", "backend", "threads", "workers", "seconds", "json"] as const)
        if (!notGiven.includes(given[name]))
          throw new CliError(`doctor: expected --recipe beside --${name} but got none`);
      for await (const line of doctorReport()) console.log(line);
      return;
    }
    const interrupt = onInterrupt(say);
    try {
      const measured = await measureRecipe({
        recipe: loadRecipe(given.recipe),
        data: dataPath("doctor", given.data),
        backend: given.backend,
        threads: integerArg("doctor", "threads", given.threads),
        workers: integerArg("doctor", "workers", given.workers),
        seconds: positiveArg("doctor", "seconds", given.seconds) ?? 10,
        signal: interrupt.signal,
      });
      if (given.json) console.log(JSON.stringify(measured));
      else for (const line of describe(measured)) console.log(line);
    } finally {
      interrupt.release();
    }
  },
});

function describe(measured: Measured): string[] {
  const { recipe, backend, parameters, stepMs, predictMs, startSeconds } = measured;
  const { checkpointBytes, memoryBytes } = measured;
  return [
    `${recipe} on ${backend}`,
    `parameters  ${parameters.toLocaleString("en")}`,
    `step        ${stepMs.toFixed(1)} ms, its data included`,
    `prediction  ${predictMs.toFixed(2)} ms a galaxy and transform`,
    `start       ${startSeconds.toFixed(1)} s`,
    `checkpoint  ${(checkpointBytes / 1e6).toFixed(1)} MB`,
    `memory      ${(memoryBytes / 1e6).toFixed(0)} MB`,
  ];
}
