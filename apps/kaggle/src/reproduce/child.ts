/** A `kaggle` command in a process of its own, which stops (and saves) when it is asked to and when this process dies. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command line. */
const MAIN: string = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface ChildOptions {
  args: readonly string[];
  /** Where its messages go, after what is there. */
  log: string;
  signal: AbortSignal;
}

export interface ChildOutcome {
  /** Exit code; null where a signal ended it. */
  code: number | null;
  killedBy: NodeJS.Signals | null;
  stdout: string;
}

export async function runChild({ args, log, signal }: ChildOptions): Promise<ChildOutcome> {
  mkdirSync(dirname(log), { recursive: true });
  const messages = openSync(log, "a");
  const child = spawn(process.execPath, [MAIN, ...args], {
    // Of its own group, so that Ctrl-C reaches it once, through us; the channel tells it when we are gone.
    detached: true,
    stdio: ["ignore", "pipe", messages, "ipc"],
  });
  closeSync(messages);
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  let stdout = "";
  child.stdout?.on("data", (text) => (stdout += text));
  try {
    return await new Promise<ChildOutcome>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, killedBy) => resolve({ code, killedBy, stdout }));
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The last thing that a log says; an error's own line where there is one. */
export function lastWords(log: string): string {
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const error = lines.findLast((line) => line.startsWith("error "));
  return (error ?? lines.at(-1) ?? "").replace(/^error /, "");
}
