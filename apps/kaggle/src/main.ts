#!/usr/bin/env node
/** The `kaggle` command: a file of commands/ for each, loaded when it is asked for. */
import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import pc from "picocolors";
import { CliError } from "./cli/errors.ts";

const commands = {
  doctor: () => import("./commands/doctor.ts").then((m) => m.doctor),
  prepare: () => import("./commands/prepare.ts").then((m) => m.prepare),
  train: () => import("./commands/train.ts").then((m) => m.train),
  predict: () => import("./commands/predict.ts").then((m) => m.predict),
  blend: () => import("./commands/blend.ts").then((m) => m.blend),
  evaluate: () => import("./commands/evaluate.ts").then((m) => m.evaluate),
  report: () => import("./commands/report.ts").then((m) => m.report),
  export: () => import("./commands/export.ts").then((m) => m.exportModel),
  reproduce: () => import("./commands/reproduce.ts").then((m) => m.reproduce),
  experiments: () => import("./commands/experiments.ts").then((m) => m.experiments),
  demo: () => import("./commands/demo.ts").then((m) => m.demo),
} as Record<string, () => Promise<CommandDef>>;

const root = defineCommand({
  meta: {
    name: "kaggle",
    description: "From a folder of galaxies to a Galaxy Zoo submission and a report.",
  },
  subCommands: commands,
});

async function main(args: string[]): Promise<number> {
  const [name = "--help", ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(await renderUsage(root));
    return 0;
  }
  const load = commands[name];
  if (!load)
    throw new CliError(
      `kaggle: expected one of ${Object.keys(commands).join(", ")} for COMMAND but got ${name}`,
    );
  const command = await load();
  if (rest.includes("--help") || rest.includes("-h")) {
    console.log(await renderUsage(command, root));
    return 0;
  }
  const { result } = await runCommand(command, { rawArgs: rest });
  return typeof result === "number" ? result : 0;
}

main(process.argv.slice(2)).then(
  // Backends may hold threads; exitCode alone would leave the process waiting for them.
  (code) => process.exit(code),
  (error: unknown) => {
    if ((error as Error).name === "AbortError") process.exit(130);
    const isOurs = error instanceof CliError || (error as Error).name === "CLIError";
    const text =
      isOurs || !process.env.GZ_DEBUG ? (error as Error).message : (error as Error).stack;
    process.stderr.write(`${pc.red("error")} ${text}\n`);
    process.exit(error instanceof CliError ? error.code : 1);
  },
);
