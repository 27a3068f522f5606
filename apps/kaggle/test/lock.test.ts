/** A folder belongs to one process at a time: who waits, who is refused, and what the dead leave is free at once. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeSynthetic } from "@gz/galaxies";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { InUseError, lockRun } from "../src/run/lock.ts";
import { startKaggle, temporaryFolder } from "./cli.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const children: ChildProcess[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder with a lock of that age and, where a number is given, of that process. */
function locked(name: string, pid: number | undefined, seconds = 0): string {
  const folder = join(root, name);
  mkdirSync(folder);
  mkdirSync(`${folder}.lock`);
  const then = Date.now() / 1000 - seconds;
  utimesSync(`${folder}.lock`, then, then);
  if (pid !== undefined) writeFileSync(join(folder, "owner.pid"), `${pid} ${hostname()}`);
  return folder;
}

async function sleeper(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await new Promise((resolve) => child.on("spawn", resolve));
  children.push(child);
  return child;
}

/** The number of a process that was killed. */
async function deadPid(): Promise<number> {
  const child = await sleeper();
  const closed = new Promise((resolve) => child.on("close", resolve));
  child.kill("SIGKILL");
  await closed;
  return child.pid!;
}

test("what is given back leaves nothing of the lock, and no folder that was made for it and stayed empty", async () => {
  const folder = join(root, "new", "run");
  const unlock = await lockRun(folder);
  expect(readFileSync(join(folder, "owner.pid"), "utf8")).toBe(`${process.pid} ${hostname()}`);
  await expect(lockRun(folder)).rejects.toThrow(
    new InUseError(`run: ${folder} is in use by another process (${process.pid})`),
  );
  await unlock();
  expect(readdirSync(join(root, "new"))).toEqual([]);

  const own = join(root, "own");
  mkdirSync(own);
  await (await lockRun(own))();
  expect(readdirSync(own)).toEqual([]);
});

test("the lock of a dead process is taken at once, by one of two starters", async () => {
  const folder = locked("dead", await deadPid());
  const started = performance.now();
  const [first, second] = await Promise.allSettled([lockRun(folder), lockRun(folder)]);
  expect(performance.now() - started).toBeLessThan(3000);
  expect([first.status, second.status].sort()).toEqual(["fulfilled", "rejected"]);
});

test("a number that another process has since a restart of the machine is that of the dead", async () => {
  const folder = locked("restarted", (await sleeper()).pid);
  utimesSync(join(folder, "owner.pid"), 1e9, 1e9);
  await (await lockRun(folder))();
  expect(existsSync(`${folder}.lock`)).toBe(false);
});

test("the lock of a process that lives is never taken, however long it has said nothing", async () => {
  const { pid } = await sleeper();
  const folder = locked("stopped", pid, 60);
  await expect(lockRun(folder)).rejects.toThrow(
    `run: ${folder} is in use by another process (${pid}), which has said nothing for 60 s: it is stopped or busy; if that is another program by now, remove ${folder}/owner.pid`,
  );
  expect(existsSync(`${folder}.lock`)).toBe(true);
});

test("the lock of who knows whom is waited for, which is said", async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const folder = locked("unknown", undefined);
  const taking = lockRun(folder);
  await sleep(500);
  expect(said).toHaveBeenCalledExactlyOnceWith(
    `run: ${folder} is locked; waiting whether it is still in use\n`,
  );
  rmdirSync(`${folder}.lock`);
  await (await taking)();

  // Of another machine's it is not known whether it lives: it is taken once it is old.
  const other = locked("elsewhere", undefined, 60);
  writeFileSync(join(other, "owner.pid"), "12 elsewhere");
  await (await lockRun(other))();
  expect(said).toHaveBeenCalledTimes(1);
});

test("a run whose folder is taken away stops and says whose it is", async () => {
  const data = join(root, "galaxies");
  await writeSynthetic(data, { train: 40, test: 0, seed: 5 });
  const out = join(root, "lost");
  const child = startKaggle(
    [
      ...["train", "--recipe", SMALLEST, "--data", data, "--out", out, "--backend", "wasm"],
      ...["--workers", "1", "--steps", "1000000"],
    ],
    { GZ_CACHE_DIR: join(root, "cache") },
  );
  children.push(child);
  let said = "";
  child.stderr?.on("data", (text) => (said += text));
  const closed = new Promise((resolve) => child.on("close", resolve));
  while (!said.includes("parameters")) await sleep(50);
  rmdirSync(`${out}.lock`);
  writeFileSync(join(out, "owner.pid"), "12 elsewhere");
  expect(await closed).toBe(1);
  expect(said).toContain(
    `error run: ${out} was taken over by another process (12 on elsewhere); this one stops\n`,
  );
  expect(said).not.toContain("    at ");
});
