/** The Slurm of setup.sh: whether it can run here, its start and end, and what runs on it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SETUP = fileURLToPath(new URL("./setup.sh", import.meta.url));
const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch"];

/** Whether Slurm's packages are here; says once how to get them. */
export function hasSlurm(): boolean {
  const isRoot = process.getuid?.() === 0;
  const missing = PROGRAMS.filter((name) => {
    try {
      execFileSync("which", [name], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  if (isRoot && missing.length === 0) return true;
  const why = missing.length > 0 ? `there is no ${missing[0]}` : "its daemons want root";
  console.log(`skipped: ${why}; get Slurm with: sudo apps/kaggle/test/slurm/setup.sh install`);
  return false;
}

export interface Simulated {
  /** For whoever calls Slurm's commands. */
  env: { SLURM_CONF: string };
  /** A command of Slurm's; returns what it prints. */
  call(command: string, ...args: string[]): string;
  stop(): void;
}

/** Two nodes of two cores on this machine; their files go into a folder. */
export async function startSlurm(folder: string): Promise<Simulated> {
  const env = { SLURM_CONF: join(folder, "slurm.conf") };
  const all = { ...process.env, ...env };
  const port = String(await freePorts(3));
  execFileSync(SETUP, ["start", folder], { env: { ...all, GZ_SLURM_PORT: port }, stdio: "pipe" });
  return {
    env,
    call: (command, ...args) =>
      execFileSync(command, args, { env: all, encoding: "utf8", stdio: "pipe" }),
    stop: () => void execFileSync(SETUP, ["stop", folder], { stdio: "inherit" }),
  };
}

/** The first of so many ports in a row that nobody has. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await portOf(0);
    const next = Array.from({ length: count - 1 }, (_, i) => portOf(first + 1 + i));
    if ((await Promise.allSettled(next)).every(({ status }) => status === "fulfilled"))
      return first;
  }
}

function portOf(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(wanted, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Tasks that run, as ID_INDEX. */
export function runningTasks({ call }: Simulated): string[] {
  const text = call("squeue", "--noheader", "--states=RUNNING", "--format=%F_%K");
  return text.split("\n").filter(Boolean);
}

/** Process ids of a task on these nodes: its batch script, and the app that it runs. */
export function processesOf({ env }: Simulated, task: string): { script?: number; app?: number } {
  const [array, index] = task.split("_");
  const wanted = [
    `SLURM_CONF=${env.SLURM_CONF}`,
    `SLURM_ARRAY_JOB_ID=${array}`,
    `SLURM_ARRAY_TASK_ID=${index}`,
  ];
  const found: { script?: number; app?: number } = {};
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (!wanted.every((entry) => environment.includes(entry))) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (words.some((word) => word.endsWith("slurm_script"))) found.script = Number(pid);
      if (words.includes("--job")) found.app = Number(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/**
 * A power cut and a reboot of the node that a task runs on: its daemon and the task are killed, then it is back. A node that
 * is back sooner than any real one would be believed to have its task still.
 */
export async function crashNode(slurm: Simulated, task: string): Promise<void> {
  const node = slurm.call("squeue", "--noheader", "--jobs", task, "--format=%N").trim();
  const daemon = Number(readFileSync(join(dirname(slurm.env.SLURM_CONF), `${node}.pid`), "utf8"));
  const { script, app } = processesOf(slurm, task);
  const step = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${script}/status`, "utf8"))![1]);
  for (const pid of [daemon, step, script!, app!]) process.kill(pid, "SIGKILL");
  await setTimeout(13_000);
  execFileSync("slurmd", ["-N", node], { env: { ...process.env, ...slurm.env }, stdio: "ignore" });
}

/** SHA-256 of everything that the runs of an ensemble are judged by: submission, predictions, last checkpoints. */
export function fingerprints(folder: string, members: readonly string[]): Record<string, string> {
  const files = ["submission.csv"];
  for (const member of members) {
    const run = join("members", member);
    const predictions = readdirSync(join(folder, run, "predictions"));
    files.push(
      ...predictions.filter((n) => n.endsWith(".csv")).map((n) => join(run, "predictions", n)),
    );
    const last = readdirSync(join(folder, run, "checkpoints"))
      .sort()
      .at(-1)!;
    const checkpoint = join(run, "checkpoints", last);
    files.push(...readdirSync(join(folder, checkpoint)).map((name) => join(checkpoint, name)));
  }
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex"),
    ]),
  );
}
