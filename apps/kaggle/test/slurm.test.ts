/**
 * `kaggle reproduce --slurm` on a real Slurm (test/slurm/setup.sh), whose jobs are killed at random and whose watching
 * is killed too: the end is the same bytes as on this machine alone. GZ_SLURM_KILLS=12 kills more often than the suite
 * has time for; there is not work enough for many more.
 */
import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createRng } from "@gz/augment";
import { transforms } from "@gz/ensemble";
import { writeSynthetic } from "@gz/galaxies";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEnsemble } from "../src/reproduce/folder.ts";
import { loadEnsemble } from "../src/reproduce/members.ts";
import { kaggle, startKaggle, temporaryFolder } from "./cli.ts";
import {
  crashNode,
  fingerprints,
  hasSlurm,
  processesOf,
  runningTasks,
  type Simulated,
  startSlurm,
} from "./slurm/simulated.ts";

const KILLS = Number(process.env.GZ_SLURM_KILLS ?? 4);
const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const data = join(root, "galaxies");
const env: Record<string, string> = { GZ_CACHE_DIR: join(root, "cache") };
/** Some minutes where the machine is busy with other things. */
const LONG = { timeout: 1_800_000 };
const steps = Math.max(50, 10 * KILLS);

afterAll(() => rmSync(root, { recursive: true, force: true }));

/**
 * A plan without its measurements: two small members and, if asked for, one that fails whenever it is tried, and what
 * they go on from.
 */
function plan(folder: string, names: readonly string[], { withStart = false } = {}): string {
  const recipe = (name: string, changes: object) =>
    writeFileSync(join(root, `${name}.json`), JSON.stringify({ extends: SMALLEST, ...changes }));
  recipe("small", {});
  recipe("diverges", { schedule: { kind: "cosine", peak: 1e30, warmup: 0 } });
  const members = [
    { recipe: "small.json", seed: 1 },
    { recipe: "small.json", seed: 2 },
    { recipe: "diverges.json", seed: 1 },
  ];
  const first = { recipe: "small.json", seed: 3, share: 0.5 };
  writeFileSync(join(root, "ensemble.json"), JSON.stringify({ start: first, members }));
  const all = loadEnsemble(join(root, "ensemble.json"));
  const budget = { budget: { steps }, steps, trainSeconds: 5 };
  createEnsemble(join(root, folder), {
    ...{ formatVersion: 1, budget: `${steps}-steps`, members: join(root, "ensemble.json"), data },
    ...{ galaxies: { valid: 4, test: 12 }, backend: "wasm", lanes: 2, threads: 1, shardSize: 2 },
    transforms: transforms({ rotations: [0, 90], flips: [false, true] }),
    ...(withStart && { start: { ...all.start!.member, ...budget, predictSeconds: 0 } }),
    planned: all.members
      .filter(({ name }) => names.includes(name))
      .map((member) => ({
        ...member,
        ...budget,
        predictSeconds: 1200, // two parts
      })),
  });
  return join(root, folder);
}

const onSlurm = (folder: string, partition: string) => [
  ...["reproduce", "--out", folder, "--slurm", "--partition", partition],
  ...["--time", "30", "--cpus", "1", "--sbatch", "comment=gz"],
];

test("no Slurm is said at once", async () => {
  const none = await kaggle(onSlurm(join(root, "none"), "short"), { ...env, PATH: "/nowhere" });
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(none.stderr).toBe(
    "error reproduce: sbatch is not here; --slurm runs where Slurm's commands are, such as a cluster's login node\n",
  );
  expect(existsSync(join(root, "none"))).toBe(false);
});

// At the same time: most of it is waiting for Slurm, and the refusing queue is a partition of its own.
describe.skipIf(!hasSlurm())("on a Slurm with two nodes", { concurrent: true }, () => {
  let slurm: Simulated;

  beforeAll(async () => {
    await writeSynthetic(data, { train: 40, test: 12, seed: 5 });
    slurm = await startSlurm(join(root, "cluster"));
    Object.assign(env, slurm.env);
  });
  afterAll(() => slurm?.stop());

  test("jobs and the watching killed at random end in this machine's bytes", {
    timeout: 1_800_000,
  }, async () => {
    const members = ["small-1", "small-2"];
    const here = plan("here", [...members, "diverges"], { withStart: true });
    const there = join(root, "there");
    mkdirSync(there);
    cpSync(join(here, "plan.json"), join(there, "plan.json"));

    const alone = kaggle(["reproduce", "--out", here], env);
    const watched = watch(there, "short");
    const kills = await killAtRandom(slurm, there, watched);
    const { code, messages } = await watched.end();
    expect(code, messages).toBe(1); // done, without one
    expect(kills.length).toBe(KILLS);
    expect(messages).toMatch(
      /train\/diverges failed 3 times: train: the loss is no longer finite at step \d+.*; the rest goes on/,
    );
    expect(messages).toMatch(/without diverges: train: the loss is no longer finite/);
    expect(slurm.call("squeue", "--noheader", "--partition=short")).toBe("");

    const { code: codeHere, stderr } = await alone;
    expect(codeHere, stderr).toBe(1);
    expect(fingerprints(there, members)).toEqual(fingerprints(here, members));
    expect(existsSync(join(there, "report.html"))).toBe(true);
  });

  test(
    "a cancelled job stays out; a queue that refuses is asked again, and the rest goes on",
    LONG,
    async () => {
      const folder = plan("cancelled", ["small-1", "small-2"]);
      const watched = watch(folder, "other");
      await until(() => readTasks(folder)["train/small-2"] !== undefined);
      slurm.call("scancel", readTasks(folder)["train/small-2"]!);
      await until(() => scriptOf(slurm, folder, "train/small-1") !== undefined);
      slurm.call("scontrol", "update", "PartitionName=other", "State=DRAIN");
      process.kill(scriptOf(slurm, folder, "train/small-1")!, "SIGKILL");
      await until(() => watched.messages().includes("asking again later"));
      slurm.call("scontrol", "update", "PartitionName=other", "State=UP");
      const { code, messages } = await watched.end();
      expect(code, messages).toBe(1);
      expect(messages).toMatch(/sbatch refuses: .+; asking again later, the rest goes on/);
      expect(messages).toContain("without small-2: train/small-2 was cancelled");
      const blend = JSON.parse(readFileSync(join(folder, "submission.blend.json"), "utf8"));
      expect(blend.members.map(({ name }: { name: string }) => name)).toEqual(["small-1"]);

      const nosuch = await kaggle(onSlurm(folder, "nosuch"), env);
      expect(nosuch).toMatchObject({ code: 1 });
      expect(nosuch.stderr).toMatch(/^error reproduce: sbatch refuses: .*partition/i);
    },
  );

  test("a plan is measured on a node", LONG, async () => {
    const folder = join(root, "planned");
    const members = join(root, "one.json");
    writeFileSync(members, JSON.stringify({ members: [{ recipe: SMALLEST, seed: 1 }] }));
    const args = ["--plan", "--budget", "4-steps", "--members", members];
    const total = await kaggle([...onSlurm(folder, "short"), "--data", data], env);
    expect(total.stderr).toContain(
      "expected 67h-per-model, 2000-steps or full for --budget with --slurm, since nobody knows how long a queue takes, but got 30m",
    );
    const planned = await kaggle([...onSlurm(folder, "short"), ...args, "--data", data], env);
    expect(planned, planned.stderr).toMatchObject({ code: 0 });
    expect(planned.stderr).toMatch(/1 member, each a Slurm job, on \w+/);
  });
});

/** The command that watches, its messages over all of its lives. */
interface Watched {
  messages(): string;
  /** Kills it, and starts it again. */
  restart(): void;
  isOver(): boolean;
  end(): Promise<{ code: number | null; messages: string }>;
}

function watch(folder: string, partition: string): Watched {
  let messages = "";
  let code: number | null | undefined;
  let child: ChildProcess;
  const start = () => {
    const started = startKaggle(onSlurm(folder, partition), env);
    started.stderr?.on("data", (text) => (messages += text));
    started.on("close", (its) => {
      if (child === started) code = its;
    });
    child = started;
  };
  start();
  return {
    messages: () => messages,
    restart() {
      const killed = child;
      start();
      killed.kill("SIGKILL");
    },
    isOver: () => code !== undefined,
    async end() {
      await until(() => code !== undefined);
      return { code: code ?? null, messages };
    },
  };
}

/** Kills tasks of members that can do their work; never so often that they are given up. Says what it killed. */
async function killAtRandom(slurm: Simulated, folder: string, watched: Watched): Promise<string[]> {
  const rng = createRng(KILLS, Date.now());
  const ways: Record<string, (task: string) => void | Promise<void>> = {
    app: (task) => void process.kill(processesOf(slurm, task).app!, "SIGKILL"),
    script: (task) => void process.kill(processesOf(slurm, task).script!, "SIGKILL"),
    requeue: (task) => void slurm.call("scontrol", "requeue", task),
    notice: (task) => void slurm.call("scancel", "--batch", "--signal=USR1", task),
    node: (task) => crashNode(slurm, task),
  };
  const killed: string[] = [];
  while (killed.length < KILLS && !watched.isOver()) {
    await setTimeout(rng.uniform(100, 1500));
    const way = Object.keys(ways)[killed.length % 5]!;
    const jobs = Object.fromEntries(Object.entries(readTasks(folder)).map(([job, t]) => [t, job]));
    const tasks = runningTasks(slurm).filter((task) => {
      const job = jobs[task];
      return job && job !== "train/diverges" && starts(folder, job) < 3;
    });
    if (tasks.length === 0) continue;
    const task = tasks[rng.int(tasks.length)]!;
    try {
      await ways[way]!(task);
    } catch {
      continue; // It ended while we looked.
    }
    killed.push(`${way} of ${jobs[task]}`);
    if (killed.length === Math.ceil(KILLS / 2)) watched.restart();
  }
  console.log(`killed: ${killed.join(", ")}`);
  return killed;
}

function readTasks(folder: string): Record<string, string> {
  const file = join(folder, "slurm", "tasks.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

/** How often a job was started without saving anything. */
function starts(folder: string, job: string): number {
  const file = join(folder, "slurm", "tries", job.replaceAll("/", "-"));
  return existsSync(file) ? (readFileSync(file, "utf8").match(/^start/gm)?.length ?? 0) : 0;
}

function scriptOf(slurm: Simulated, folder: string, job: string): number | undefined {
  const task = readTasks(folder)[job];
  return task && runningTasks(slurm).includes(task) ? processesOf(slurm, task).script : undefined;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(100);
}
