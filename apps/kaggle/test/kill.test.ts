/**
 * A training run that is killed (SIGKILL) at random moments and resumed ends in the same bytes as one that was left
 * alone, whatever the number of workers. GZ_KILLS=20 kills more often than the suite has time for; GZ_SEED, which a
 * failure names, draws the same moments again.
 */
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createRng } from "@gz/augment";
import { writeSynthetic } from "@gz/galaxies";
import { expect, test } from "vitest";
import { kaggle, startKaggle, temporaryFolder } from "./cli.ts";
import { hasNative } from "./has-native.ts";

const KILLS = Number(process.env.GZ_KILLS ?? 4);
const SEED = Number(process.env.GZ_SEED ?? Date.now());
const BACKENDS = ["wasm", ...(hasNative() ? ["tensorflow"] : [])];

test.each(
  BACKENDS.flatMap((backend): [string, number, string][] => [
    ["smallest", KILLS, backend],
    ["shared-norm", 1, backend], // its constraints are due after steps of which no checkpoint is kept
  ]),
)("a run of %s killed %i times ends in the same bytes (%s)", { timeout: 1_200_000 }, kill);

/** SHA-256 of every file of the last checkpoint. */
function lastCheckpoint(run: string): Record<string, string> {
  const folder = join(run, "checkpoints");
  const last = readdirSync(folder).sort().at(-1)!;
  const files = readdirSync(join(folder, last)).sort();
  return Object.fromEntries(
    files.map((file) => [
      `${last}/${file}`,
      createHash("sha256")
        .update(readFileSync(join(folder, last, file)))
        .digest("hex"),
    ]),
  );
}

/** When it says that all is opened: from here on it trains. */
function isOpen(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.stderr?.on("data", (text) => String(text).includes("parameters") && resolve());
  });
}

async function kill(recipe: string, kills: number, backend: string): Promise<void> {
  const file = fileURLToPath(new URL(`./fixtures/${recipe}.json`, import.meta.url));
  const root = temporaryFolder();
  try {
    const data = join(root, "galaxies");
    await writeSynthetic(data, { train: 60, test: 0, seed: 3 });
    const steps = Math.max(40, kills * 10);
    const env = { GZ_CACHE_DIR: join(root, "cache") };
    const train = (out: string, workers: number, resume: boolean) => [
      ...["train", "--recipe", file, "--data", data, "--out", out, "--backend", backend],
      ...["--steps", String(steps), "--checkpoint-steps", "3", "--workers", String(workers)],
      ...(resume ? ["--resume"] : []),
    ];
    const calm = join(root, "calm");
    const whole = startKaggle(train(calm, 1, false), env);
    const done = new Promise<number | null>((resolve) => whole.on("close", resolve));
    await Promise.race([isOpen(whole), done]);
    const before = performance.now();
    expect(await done).toBe(0);
    const duration = performance.now() - before;

    const rng = createRng(kills, SEED);
    const killed = join(root, "killed");
    let started = false;
    for (let i = 0; i < kills; i++) {
      const child = startKaggle(train(killed, 1 + (i % 3), started), env);
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      await Promise.race([ended, isOpen(child)]);
      await Promise.race([ended, sleep(duration * rng.uniform(0, 1))]);
      child.kill("SIGKILL");
      await ended;
      started ||= readdirSync(killed).includes("recipe.json");
    }
    const last = await kaggle(train(killed, 2, started), env);
    const replay = `GZ_SEED=${SEED}`;
    expect(last, `${replay}\n${last.stderr}`).toMatchObject({ code: 0 });
    expect(lastCheckpoint(killed), replay).toEqual(lastCheckpoint(calm));
    const metrics = (run: string) =>
      readFileSync(join(run, "metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ kind, step, rmse }) => ({ kind, step, rmse }));
    expect(metrics(killed), replay).toEqual(metrics(calm));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
