import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, statfs } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join } from "node:path";

/** The folder that holds what was fetched and built: GZ_CACHE_DIR, else the platform's own place. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.GZ_CACHE_DIR) return env.GZ_CACHE_DIR;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "gz");
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "gz");
}

/** SHA-256 of a file, in hex. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 22 })) hash.update(chunk);
  return hash.digest("hex");
}

/** Throws unless `folder`'s disk has `bytes` free. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes)
    throw new Error(
      `native: expected ${gigabytes(bytes)} free in ${folder} but there are ${gigabytes(free)}; make room, or set GZ_CACHE_DIR to a folder on another disk`,
    );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Calls `work` with a fresh folder inside `parent` that is gone afterwards, whatever happens. */
export async function withTemporary<T>(
  parent: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const folder = await mkdtemp(join(parent, `${MARK}${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A cache may be shared: whether a process lives is known of this host's alone. */
const MARK = `tmp-${hostname()}-`;

/** Removes the temporary folders of this host's processes that were killed before they could. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(MARK)) continue;
    // No further dash: host "node" must leave the folders of "node-1" alone.
    const pid = /^(\d+)-[^-]*$/.exec(name.slice(MARK.length))?.[1];
    if (pid && !isAlive(Number(pid)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

/** Gives a folder its name in the cache, where another process may have put the same meanwhile. */
export async function putInPlace(made: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  try {
    await rename(made, target);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
