import { resolve } from "node:path";
import { defineCommand } from "citty";
import { backendArg, integerArg, refuseUnknown, workersArg } from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { say } from "../cli/progress.ts";
import { describeEvaluation } from "../evaluation/describe.ts";
import { evaluate as evaluateAll } from "../evaluation/evaluation.ts";

const args = {
  labels: {
    type: "string",
    description: "Data set, or CSV of labels (default: the run's own, else $GALAXY_ZOO_DIR)",
    valueHint: "DATA",
  },
  out: {
    type: "string",
    description: "Folder for evaluation.json (default: the run's, or beside the CSV)",
    valueHint: "DIR",
  },
  pictures: {
    type: "boolean",
    description: "Turn galaxies, show filters and what excites units; needs the run's network",
    default: true,
  },
  images: {
    type: "string",
    description: "Galaxies to turn (default: 64; 16 for networks that see many views of each)",
    valueHint: "N",
  },
  backend: backendArg,
  workers: workersArg,
} as const;

export const evaluate = defineCommand({
  meta: {
    name: "evaluate",
    description:
      "Judge runs, predictions or blends (RUN … or FILE.csv …): errors, agreement, calibration, turning.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("evaluate", given, args, { others: true });
    if (!given.pictures && given.images !== undefined)
      throw new CliError(
        "evaluate: expected --images without --no-pictures, which turns none, but got both",
      );
    const interrupt = onInterrupt(say);
    try {
      for await (const { evaluation, file } of evaluateAll({
        subjects: given._,
        labels: given.labels,
        out: given.out,
        look: given.pictures
          ? {
              images: integerArg("evaluate", "images", given.images),
              backend: given.backend,
              workers: integerArg("evaluate", "workers", given.workers),
              signal: interrupt.signal,
            }
          : undefined,
      })) {
        for (const line of describeEvaluation(evaluation)) console.log(line);
        console.log(`\n${resolve(file)}\n`);
      }
    } finally {
      interrupt.release();
    }
  },
});
