/** The batch script under bash alone: what Slurm adds is in test/slurm.test.ts. */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { arrayScript } from "./script.ts";

// What a shell must not read.
const folder = join(mkdtempSync(join(tmpdir(), "gz-script-")), "it's $HOME");
for (const name of ["logs", "slurm/tries"]) mkdirSync(join(folder, name), { recursive: true });
afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const log = join(folder, "logs/predict-b-1-of-2.log");
const tries = join(folder, "slurm/tries/predict-b-1-of-2");

/** Runs the array's task 1 with a program instead of the app; `notice` is sent to the shell once the log has a word. */
async function task(program: string, notice?: NodeJS.Signals): Promise<number | null> {
  rmSync(log, { force: true });
  const text = arrayScript({
    folder,
    name: "gz-test",
    jobs: ["train/a", "predict/b/1-of-2"],
    command: [process.execPath, "-e", program],
    slurm: { partition: "short", cpus: 3, more: ["--mem=1G"] },
  });
  const env = { SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "1", SLURMD_NODENAME: "node1" };
  const shell = spawn("bash", ["-c", text], { env: { PATH: process.env.PATH, ...env } });
  const ended = new Promise<number | null>((resolve) => shell.on("close", resolve));
  while (notice && !(existsSync(log) && readFileSync(log, "utf8").includes("works")))
    await setTimeout(10);
  if (notice) shell.kill(notice);
  return ended;
}

test("says to Slurm what it was told", () => {
  const text = arrayScript({
    ...{ folder: "/f", name: "gz-train", jobs: ["train/a"], command: ["node"] },
    slurm: { gres: "gpu:1", time: "1:00:00", cpus: 3, more: ["--mem=1G"] },
  });
  expect(text.split("\n").filter((line) => line.startsWith("#SBATCH"))).toEqual([
    "#SBATCH --job-name=gz-train",
    "#SBATCH --requeue",
    "#SBATCH --signal=B:USR1@120",
    "#SBATCH --gres=gpu:1",
    "#SBATCH --time=1:00:00",
    "#SBATCH --cpus-per-task=3",
    "#SBATCH --mem=1G",
  ]);
});

test("a task runs its own job and forgets earlier tries once it is done", async () => {
  appendFileSync(tries, "start before\n");
  expect(await task("console.log(JSON.stringify(process.argv.slice(1)))")).toBe(0);
  const [start, args] = readFileSync(log, "utf8").trim().split("\n");
  expect(start).toMatch(/^start .+, task 7_1 on node1$/);
  expect(JSON.parse(args!)).toEqual([
    ...["reproduce", "--out", folder, "--job", "predict/b/1-of-2"],
    ...["--threads", "3", "--workers", "2"],
  ]);
  expect(existsSync(tries)).toBe(false);
});

test("a failure ends the task with its code; the start stays noted", async () => {
  expect(await task("process.exit(7)")).toBe(7);
  expect(readFileSync(tries, "utf8")).toMatch(/^start .+, task 7_1 on node1\n$/);
  expect(readFileSync(log, "utf8")).toContain("task 7_1 ended with code 7");
});

test.each(["USR1", "TERM"])("SIG%s tells the job, and waits until it has saved", async (name) => {
  const program = `
    process.on("SIGTERM", () => setTimeout(() => { console.log("saved"); process.exit(130); }, 300));
    setTimeout(() => {}, 60_000);
    console.log("works");`;
  expect(await task(program, `SIG${name}` as NodeJS.Signals)).toBe(130);
  expect(readFileSync(log, "utf8")).toMatch(/works\nsaved\ntask 7_1 ended with code 130\n/);
});
