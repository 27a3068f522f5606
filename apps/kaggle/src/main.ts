#!/usr/bin/env node
/** The `kaggle` command: a file of commands/ for each, loaded when it is asked for. */
import { readFileSync } from "node:fs";
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
  if (name === "--version") {
    console.log(
      JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version,
    );
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
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

/** One line for a person; GZ_DEBUG asks for the stack of what was not expected. */
function fail(error: unknown): never {
  if ((error as Error).name === "AbortError") process.exit(130);
  const isOurs = error instanceof CliError || (error as Error).name === "CLIError";
  const text = isOurs || !process.env.GZ_DEBUG ? (error as Error).message : (error as Error).stack;
  process.stderr.write(`${pc.red("error")} ${text}\n`);
  process.exit(error instanceof CliError ? error.code : 1);
}

// Not as a listener: TensorFlow.js's WebAssembly backend removes all of those.
process.setUncaughtExceptionCaptureCallback(fail);
// A reader that has gone (kaggle … | head, a closed terminal) is no error: the work goes on unheard.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });

// Backends may hold threads; exitCode alone would leave the process waiting for them.
main(process.argv.slice(2)).then((code) => process.exit(code), fail);
