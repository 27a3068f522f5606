import { join, resolve } from "node:path";
import { defineCommand } from "citty";
import { checkpointArg, choiceArg, refuseUnknown } from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { exportRun } from "../export/export.ts";
import { CHECKPOINTS } from "../network/trained-weights.ts";

const args = {
  out: {
    type: "string",
    description: "The folder (default: export/ in the run)",
    valueHint: "DIR",
  },
  checkpoint: checkpointArg,
} as const;

export const exportModel = defineCommand({
  meta: {
    name: "export",
    description:
      "A run's model (RUN) for others: TensorFlow.js layers format, safetensors and a model card.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("export", given, args, { others: true });
    const [run, ...more] = given._;
    if (run === undefined || more.length > 0)
      throw new CliError(
        `export: expected one RUN but got ${run === undefined ? "none" : given._.join(", ")}`,
      );
    const out = given.out ?? join(run, "export");
    await exportRun(run, out, {
      checkpoint: choiceArg("export", "checkpoint", given.checkpoint, CHECKPOINTS),
    });
    console.log(resolve(out));
  },
});
