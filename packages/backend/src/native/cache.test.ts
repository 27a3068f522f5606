import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cacheFolder, checkSpace, sha256, withTemporary } from "./cache.ts";

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
  mkdirSync(join(parent, `tmp-${pid}-abandoned`), { recursive: true });
  mkdirSync(join(parent, `tmp-${process.pid}-alive`));
  let seen = "";
  const failing = withTemporary(parent, async (temporary) => {
    seen = temporary;
    writeFileSync(join(temporary, "file"), "");
    throw new Error("stop");
  });
  await expect(failing).rejects.toThrow("stop");
  expect(seen.startsWith(parent)).toBe(true);
  expect(existsSync(seen)).toBe(false);
  expect(readdirSync(parent)).toEqual([`tmp-${process.pid}-alive`]);
});
