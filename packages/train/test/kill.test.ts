import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "gz-kill-"));
afterAll(() => rmSync(root, { recursive: true }));

const SCRIPT = fileURLToPath(new URL("fixtures/killed-run.mjs", import.meta.url));

/** Runs to the end, or kills the run `killAfterMs` after it began to train; returns whether it ended by itself. */
async function run(folder: string, workers: number, killAfterMs?: number): Promise<boolean> {
  const child = spawn(process.execPath, [SCRIPT, folder, String(workers)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exit = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exit]);
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const [code, signal] = await exit;
  clearTimeout(timer);
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the run failed with exit code ${code}`);
  return code === 0;
}

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [file.slice(folder.length), readFileSync(file).toString("base64")]),
  );
}

test("killed at any moment and started again, with other numbers of workers, it ends in the same bytes", async () => {
  // A killed run is a process of its own, which takes the built package.
  const top = fileURLToPath(new URL("../../..", import.meta.url));
  execFileSync(join(top, "node_modules/.bin/tsc"), ["-b", "packages/train"], { cwd: top });

  const whole = join(root, "whole");
  expect(await run(whole, 2)).toBe(true);
  const killed = join(root, "killed");
  let kills = 0;
  for (const delay of [60, 150, 20]) {
    if (await run(killed, 1 + (kills % 3), delay)) break;
    kills++;
  }
  expect(kills).toBeGreaterThan(0);
  await run(killed, 3);

  expect(readdirSync(killed).sort()).toEqual([
    "step-00000044",
    "step-00000052",
    "step-00000056",
    "step-00000060",
  ]);
  expect(contents(killed)).toEqual(contents(whole));
  expect(readFileSync(`${killed}.jsonl`, "utf8")).toBe(readFileSync(`${whole}.jsonl`, "utf8"));
});
