/** Runs the built app as a user does, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `kaggle ARGS`; caches go to a folder of the test's own. */
export function startKaggle(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, GALAXY_ZOO_DIR: "", NO_COLOR: "1", ...env },
  });
}

/** Runs it to its end. */
export function kaggle(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = startKaggle(args, env);
  const outcome: Outcome = { code: null, stdout: "", stderr: "" };
  child.stdout?.on("data", (data) => (outcome.stdout += data));
  child.stderr?.on("data", (data) => (outcome.stderr += data));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...outcome, code }));
  });
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "gz-kaggle-"));
}
