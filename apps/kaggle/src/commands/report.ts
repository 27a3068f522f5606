import { resolve } from "node:path";
import { defineCommand } from "citty";
import { refuseUnknown } from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { writeReport } from "../report/report.ts";

const args = {
  out: { type: "string", description: "The page", default: "report.html", valueHint: "FILE.html" },
  data: {
    type: "string",
    description: "Data set for the pictures (default: where the first run was trained)",
    valueHint: "DIR",
  },
  blend: {
    type: "string",
    description: "A submission that kaggle blend wrote",
    valueHint: "FILE.csv",
  },
} as const;

export const report = defineCommand({
  meta: {
    name: "report",
    description: "One self-contained page about runs (RUN …) and their blend.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("report", given, args, { others: true });
    if (given._.length === 0) throw new CliError("report: expected at least one RUN but got none");
    await writeReport({ runs: given._, out: given.out, data: given.data, blend: given.blend });
    console.log(resolve(given.out));
  },
});
