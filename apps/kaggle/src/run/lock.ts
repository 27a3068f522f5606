/**
 * A folder that one process at a time works in: FOLDER.lock lies beside it, refreshed for as long as it is held, and
 * owner.pid in it says by whom.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname, uptime } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";

/** Another process works on the folder. */
export class InUseError extends CliError {}

/** A lock that has not been refreshed for so long may be of a process that died. */
const STALE_MS = 20_000;
const TRIES = 25;

/**
 * Takes the folder for this process; returns what gives it back, and removes it if it was made for this and stayed empty.
 * The lock of a process of this machine is free once that is dead, at once, and not before. Of another machine's nothing
 * is known but how old its lock is: that is waited for.
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const owner = join(folder, "owner.pid");
  const made = mkdirSync(folder, { recursive: true });
  const release = await take(folder, owner);
  mkdirSync(folder, { recursive: true }); // the one before may have removed it
  writeFileSync(owner, `${process.pid} ${hostname()}`);
  return async () => {
    rmSync(owner, { force: true });
    if (made !== undefined) removeIfEmpty(folder);
    await release();
  };
}

async function take(folder: string, owner: string): Promise<() => Promise<void>> {
  const lock = `${resolve(folder)}.lock`;
  for (let tries = 1; ; tries++) {
    if (existsSync(lock)) freeOfTheDead(folder, { lock, owner });
    else rmSync(owner, { force: true }); // without a lock it is of a process that ended
    try {
      return await lockfile.lock(folder, {
        stale: STALE_MS,
        update: 5_000,
        realpath: false,
        // Thrown where nobody catches it, it ends the process: what it would save now is another's.
        onCompromised: () => {
          throw new InUseError(
            `run: ${folder} was taken over by another process${by(owner)}; this one stops`,
          );
        },
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
      if (tries === TRIES)
        throw new InUseError(`run: ${folder} is in use by another process${by(owner)}`);
      if (tries === 1)
        say(`run: ${folder} is locked${by(owner)}; waiting whether it is still in use`);
      await sleep(1000);
    }
  }
}

/** Removes the lock of a process of this machine that is dead; throws where it lives. */
function freeOfTheDead(folder: string, { lock, owner }: { lock: string; owner: string }): void {
  const noted = readOwner(owner);
  if (noted?.host !== hostname()) return;
  if (!isAlive(noted)) {
    try {
      // First its note, which only one of two starters can take away: the other must not free the lock of the first.
      rmSync(owner);
      rmdirSync(lock);
    } catch {}
    return;
  }
  const silent = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  const hint =
    silent > STALE_MS
      ? `, which has said nothing for ${Math.round(silent / 1000)} s: it is stopped or busy; if that is another program by now, remove ${owner}`
      : "";
  throw new InUseError(`run: ${folder} is in use by another process (${noted.pid})${hint}`);
}

interface Owner {
  pid: number;
  host: string;
  /** When it noted itself, in milliseconds. */
  since: number;
}

function readOwner(file: string): Owner | undefined {
  try {
    const [pid, host = ""] = readFileSync(file, "utf8").split(" ");
    return { pid: Number(pid), host, since: statSync(file).mtimeMs };
  } catch {
    return undefined; // not there (yet)
  }
}

/** Who else holds it, for a message. */
function by(file: string): string {
  const noted = readOwner(file);
  return noted && noted.pid !== process.pid ? ` (${noted.pid} on ${noted.host})` : "";
}

/** Numbers of processes come again: after a restart of the machine, and in a container that is started anew. */
function isAlive({ pid, since }: Owner): boolean {
  if (pid === process.pid) return since >= performance.timeOrigin;
  if (!Number.isInteger(pid) || since < Date.now() - 1000 * (uptime() + 2)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {} // it holds something
}
