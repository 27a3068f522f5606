import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const FOLDER = /^step-(\d{8,})(\.old)?$/;

/** What a run that was killed while it saved may leave: never read, removed by the next save. */
export const temporaryName = (step: number): string => `${folderName(step)}.tmp`;

/** Sorted by name is sorted by step, up to 99,999,999. */
export const folderName = (step: number): string => `step-${String(step).padStart(8, "0")}`;

/** The checkpoints in `directory`, newest first; none where there is no such folder. */
export async function listCheckpoints(
  directory: string,
): Promise<{ step: number; path: string }[]> {
  const names = await entries(directory);
  return (
    names
      .map((name) => ({ name, match: FOLDER.exec(name) }))
      // A folder set aside while another took its place counts only if that never happened.
      .filter(({ name, match }) => match && !(match[2] && names.includes(name.replace(".old", ""))))
      .map(({ name, match }) => ({ step: Number(match![1]), path: join(directory, name) }))
      .sort((a, b) => b.step - a.step)
  );
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Removes what killed runs left. */
export async function removeLeftovers(directory: string): Promise<void> {
  const names = await entries(directory);
  for (const name of names) {
    const replaced = name.endsWith(".old") && names.includes(name.replace(".old", ""));
    if (/^step-\d+\.tmp$/.test(name) || (FOLDER.test(name) && replaced))
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Removes one checkpoint: renamed first, so that a kill half-way leaves no broken one. */
export async function removeCheckpoint({
  step,
  path,
}: {
  step: number;
  path: string;
}): Promise<void> {
  const temporary = join(dirname(path), temporaryName(step));
  await rename(path, temporary);
  await rm(temporary, { recursive: true, force: true });
}

/** Makes a folder's entries (a rename in it) last through a power cut; Windows has no such call for folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
