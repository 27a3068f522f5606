import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../packages/backend/dist/native/cache.js";
import { THREADS } from "./measure.mjs";

const PEERS = fileURLToPath(new URL("../peers/", import.meta.url));
export const ENVIRONMENT = join(cacheFolder(), "bench-venv");
export const REQUIREMENTS = join(PEERS, "requirements.txt");
/** Written last by the setup: what it installed. */
export const STAMP = join(ENVIRONMENT, "installed.txt");
export const PYTHON = join(
  ENVIRONMENT,
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

/** Whether `npm run bench:setup` has installed what is asked for today. */
export function peersInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === readFileSync(REQUIREMENTS, "utf8");
}

/**
 * Starts peers/serve.py with one of its modules, which lives until `stop`; undefined where the
 * peers are not installed. `side(name)` runs one of its functions, for `interleave`; `value(name)` returns what it computes.
 */
export async function startPeer(module, request) {
  if (!peersInstalled()) return undefined;
  const child = spawn(PYTHON, ["serve.py", module], {
    cwd: PEERS,
    stdio: ["pipe", "pipe", "inherit"],
    // Without a GPU: the figures are about the same processor.
    env: { ...process.env, OMP_NUM_THREADS: String(THREADS), CUDA_VISIBLE_DEVICES: "" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function ask(question) {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`peers/${module}.py ended without an answer`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`peers/${module}.py: ${answer.error}`);
    return answer;
  }
  const { versions } = await ask({ threads: THREADS, ...request });
  return {
    versions,
    side: (name) => async (times) => (await ask({ run: name, times })).ms,
    value: async (name) => (await ask({ run: name, times: 1 })).value,
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
