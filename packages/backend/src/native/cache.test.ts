import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cacheFolder, checkSpace, putInPlace, sha256, withTemporary } from "./cache.ts";
import { firstThatRuns, run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "gz-cache-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("keeps the cache where the user or the platform says", () => {
  expect(cacheFolder({ GZ_CACHE_DIR: "/big/disk" })).toBe("/big/disk");
  const own = process.platform === "darwin" ? "Library/Caches/gz" : ".cache/gz";
  expect(cacheFolder({})).toBe(join(homedir(), own));
  if (process.platform === "linux") expect(cacheFolder({ XDG_CACHE_HOME: "/xdg" })).toBe("/xdg/gz");
});

test("hashes as sha256sum does", async () => {
  const file = join(folder, "abc");
  writeFileSync(file, "abc");
  // FIPS 180-2, example B.1
  expect(await sha256(file)).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

test("says how much room is needed before it is used up", async () => {
  await checkSpace(folder, 1);
  await expect(checkSpace(folder, 1e18)).rejects.toThrow(
    /^native: expected 1000000000\.0 GB free in .*gz-cache-test-\w+ but there are \d+\.\d GB; make room, or set GZ_CACHE_DIR to a folder on another disk$/,
  );
});

test("leaves no temporary folder, neither after an error nor of a process that was killed", async () => {
  const parent = join(folder, "parent");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const mine = `tmp-${hostname()}-`;
  mkdirSync(join(parent, `${mine}${pid}-abandoned`), { recursive: true });
  mkdirSync(join(parent, `${mine}${process.pid}-alive`));
  const others = [`tmp-another-host-${pid}-alive`, `${mine}1${pid}-${pid}-alive`];
  for (const name of others) mkdirSync(join(parent, name));
  let seen = "";
  const failing = withTemporary(parent, async (temporary) => {
    seen = temporary;
    writeFileSync(join(temporary, "file"), "");
    throw new Error("stop");
  });
  await expect(failing).rejects.toThrow("stop");
  expect(seen.startsWith(parent)).toBe(true);
  expect(existsSync(seen)).toBe(false);
  expect(readdirSync(parent).sort()).toEqual([`${mine}${process.pid}-alive`, ...others].sort());
});

test("of several processes that finish the same, one's work stays and none fails", async () => {
  const target = join(folder, "target");
  const made = [0, 1, 2, 3].map((i) => join(folder, `made${i}`));
  for (const name of made) {
    mkdirSync(name);
    writeFileSync(join(name, "file"), "");
  }
  await Promise.all(made.map((name) => putInPlace(name, target)));
  expect(readdirSync(target)).toEqual(["file"]);
});

test("a program that is told to stop before it begins is not begun, and a chosen one must run", async () => {
  const marker = join(folder, "begun");
  const stopped = run(process.execPath, ["-e", `fs.writeFileSync(${JSON.stringify(marker)}, "")`], {
    signal: AbortSignal.abort(new Error("stopped")),
  });
  await expect(stopped).rejects.toThrow("stopped");
  expect(existsSync(marker)).toBe(false);
  const version = ["--version"];
  expect(await firstThatRuns("GZ_TEST_PROGRAM", ["/nowhere", process.execPath], version)).toBe(
    process.execPath,
  );
  process.env.GZ_TEST_PROGRAM = "/nowhere";
  await expect(firstThatRuns("GZ_TEST_PROGRAM", [process.execPath], version)).rejects.toThrow(
    "native: expected a program that runs with --version for GZ_TEST_PROGRAM but got /nowhere",
  );
  delete process.env.GZ_TEST_PROGRAM;
});
