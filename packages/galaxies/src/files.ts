import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** The user's cache folder: GZ_CACHE_DIR, else XDG_CACHE_HOME/gz, else ~/.cache/gz. */
export function cacheFolder(): string {
  const { GZ_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  return GZ_CACHE_DIR || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "gz");
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
 * Starts a file under a temporary name beside its own. The name holds host and process, so that two writers never
 * meet, and so that what a killed process of this host left behind is known as such and removed here.
 */
export async function createAtomic(file: string): Promise<AtomicFile> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  removeLeftovers(file);
  const temporary = join(
    folder,
    `.${basename(file)}.${hostname()}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
  );
  const handle = await open(temporary, "wx");
  let open_ = true;
  const finish = async (): Promise<void> => {
    if (!open_) return;
    open_ = false;
    await handle.close();
  };
  let done = false;
  return {
    handle,
    async commit() {
      await handle.sync();
      await finish();
      await rename(temporary, file);
      done = true;
    },
    async discard() {
      if (done) return;
      done = true;
      await finish().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

function removeLeftovers(file: string): void {
  const folder = dirname(file);
  const prefix = `.${basename(file)}.${hostname()}.`;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(".tmp")) continue;
    const pid = Number(name.slice(prefix.length).split(".")[0]);
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      rmSync(join(folder, name), { force: true });
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

/** An error of the file system in plain words, with its code. */
export function fileError(functionName: string, action: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ENOSPC: "no space is left on the disk",
    EDQUOT: "the disk quota is used up",
    EFBIG: "the file would be larger than this process may write",
    EACCES: "permission is denied",
    EROFS: "the file system is read-only",
    ENOENT: "there is no such file or folder",
    EISDIR: "it is a folder",
  };
  const why = code !== undefined && words[code] ? `${words[code]} (${code})` : message;
  return Object.assign(new Error(`${functionName}: cannot ${action}: ${why}`, { cause: error }), {
    ...(code !== undefined && { code }),
  });
}
