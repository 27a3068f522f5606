/** A `kaggle` command in a process of its own, which stops (and saves) when it is asked to and when this process dies. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command line. */
export const MAIN: string = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface ChildOptions {
  /** A command that runs it elsewhere, such as srun; left out, it runs on this machine. */
  launcher?: readonly string[] | undefined;
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

export async function runChild({
  launcher = [],
  args,
  log,
  signal,
}: ChildOptions): Promise<ChildOutcome> {
  mkdirSync(dirname(log), { recursive: true });
  const messages = openSync(log, "a");
  writeSync(messages, `start ${args.join(" ")}\n`);
  const [program = "", ...rest] = [...launcher, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, {
    // Of its own group, so that Ctrl-C reaches it once, through us; the channel tells it when we are gone.
    detached: true,
    // Its messages are for a file, whatever this process's are for.
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", messages, ...(launcher.length === 0 ? (["ipc"] as const) : [])],
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

/** A command's options for its share of a machine's threads; undefined is all of them. */
export function threadArgs(threads: number | undefined): string[] {
  if (threads === undefined) return [];
  return ["--threads", String(threads), "--workers", String(Math.max(1, threads - 1))];
}

/** The last thing that a log says since its last line "start …"; an error's own line where there is one. */
export function lastWords(log: string): string {
  const all = readFileSync(log, "utf8").trim().split("\n");
  const lines = all.slice(all.findLastIndex((line) => line.startsWith("start ")) + 1);
  const error = lines.findLast((line) => line.startsWith("error "));
  return (error ?? lines.at(-1) ?? "").replace(/^error /, "");
}
