import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** The user's cache folder: GZ_CACHE_DIR, else ~/Library/Caches/gz on macOS, else XDG_CACHE_HOME/gz, else ~/.cache/gz. */
export function cacheFolder(): string {
  const { GZ_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  if (GZ_CACHE_DIR) return GZ_CACHE_DIR;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "gz");
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "gz");
}

/** A file that appears under its name only when it is whole. */
export interface AtomicFile {
  handle: FileHandle;
  /** Flushes to the disk and renames over whatever had the name. */
  commit(): Promise<void>;
  /** Removes what was written; nothing happens after `commit`. */
  discard(): Promise<void>;
}

/**
 * Starts a file under a temporary name beside its own, in a folder that is made if need be. The name holds host and
 * process, so that two writers never meet, and so that what a killed process of this host left behind is known as such
 * and removed here, an hour later. Where the size is known, a disk without room is noticed before the work.
 */
export async function createAtomic(
  functionName: string,
  file: string,
  bytes = 0,
): Promise<AtomicFile> {
  const folder = dirname(file);
  const tag = `${hostname()}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const temporary = join(folder, `.${basename(file)}.${tag}.tmp`);
  let handle: FileHandle;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(file);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < bytes)
      throw new Error(
        `it takes ${megabytes(bytes)} but only ${megabytes(bavail * bsize)} are free on this disk`,
      );
    handle = await open(temporary, "wx");
  } catch (error) {
    throw fileError(functionName, `write ${file}`, error);
  }
  let state: "open" | "closed" | "gone" = "open";
  const close = async (): Promise<void> => {
    if (state !== "open") return;
    state = "closed";
    await handle.close();
  };
  return {
    handle,
    async commit() {
      await handle.sync();
      await close();
      await rename(temporary, file);
      state = "gone";
    },
    async discard() {
      if (state === "gone") return;
      await close().catch(() => {});
      state = "gone";
      await rm(temporary, { force: true });
    },
  };
}

/** A process in another container has a number too, and looks dead from here: only an old file was left behind. */
const LEFT_BEHIND_MS = 3_600_000;

async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  const prefix = `.${basename(file)}.${hostname()}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(".tmp")) continue;
    const pid = Number(name.slice(prefix.length).split(".")[0]);
    if (!(pid > 0) || isAlive(pid)) continue;
    const leftover = join(folder, name);
    const { mtimeMs } = await stat(leftover).catch(() => ({ mtimeMs: Infinity })); // it was renamed meanwhile
    if (Date.now() - mtimeMs > LEFT_BEHIND_MS) await rm(leftover, { force: true });
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const REASONS: Record<string, string> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than this process may write",
  EACCES: "permission is denied",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder",
  ENOTDIR: "it is not a folder",
};

/** Why a file could not be read or written, in plain words. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code !== undefined && REASONS[code] ? `${REASONS[code]} (${code})` : message;
}

/** The error that says so to the user, with the code of the original. */
export function fileError(functionName: string, action: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  const told = new Error(`${functionName}: cannot ${action}: ${reason(error)}`, { cause: error });
  return code === undefined ? told : Object.assign(told, { code });
}
