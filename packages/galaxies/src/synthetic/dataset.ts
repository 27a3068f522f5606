import { mkdir, readdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import sharp from "sharp";
import { expected } from "../_check.ts";
import { createAtomic, fileError } from "../files.ts";
import { isPart } from "../part-names.ts";
import { COLUMNS } from "../tree.ts";
import { renderGalaxy } from "./render.ts";
import { sampleGalaxy } from "./sample.ts";
import { castVotes, galaxyVotes } from "./votes.ts";

const FIRST_ID = 100_000;
// The survey server's JPEGs have the standard tables at this quality, colour at half resolution.
const QUALITY = 75;

/** What `writeSynthetic` is to write. */
export interface SyntheticOptions {
  /** Number of labelled galaxies. */
  train: number;
  /** Number of galaxies without labels. */
  test: number;
  /** Names the data set: the same seed gives the same files. */
  seed: number;
  /** Pixels on a side, 424 by default. */
  size?: number;
  /** Called after each image. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Stops the writing; the images written so far stay. */
  signal?: AbortSignal;
}

/**
 * Writes a data set of synthetic galaxies in the layout of Kaggle's Galaxy Zoo download, unpacked:
 * `images_training_rev1/ID.jpg`, `training_solutions_rev1.csv`, `images_test_rev1/ID.jpg`. Galaxy i
 * depends on the seed and i alone, so a larger set begins with the smaller one's galaxies. The
 * labels come last, whole: a set without them is unfinished.
 *
 * @throws TypeError or RangeError for bad options; Error where `dir` already holds a data set, or
 *   a part of one, or cannot be written; the signal's reason when it is aborted
 */
export async function writeSynthetic(dir: string, options: SyntheticOptions): Promise<void> {
  checkOptions(dir, options);
  await refuseData(dir);
  const { train, test, seed, size = 424, onProgress, signal } = options;
  const splits = [
    { folder: join(dir, "images_training_rev1"), count: train },
    { folder: join(dir, "images_test_rev1"), count: test },
  ];
  for (const { folder, count } of splits) if (count > 0) await makeFolder(folder);

  const lines = [["GalaxyID", ...COLUMNS].join(",")];
  const total = train + test;
  let done = 0;
  // sharp encodes on its own threads while this one draws; a few images may wait for it.
  const pending = new Set<Promise<void>>();
  try {
    for (const [split, { folder, count }] of splits.entries())
      for (let number = 0; number < count; number++) {
        signal?.throwIfAborted();
        const params = sampleGalaxy(createRng(seed, split, number, 0));
        const image = renderGalaxy(params, { rng: createRng(seed, split, number, 1), size });
        // Training ids are even, test ids odd, as none may be both.
        const id = FIRST_ID + 2 * number + split;
        if (split === 0) {
          const votes = castVotes(createRng(seed, split, number, 2), galaxyVotes(params));
          lines.push([id, ...Array.from(votes, (v) => Number(v.toFixed(6)))].join(","));
        }
        const job = writeJpeg(join(folder, `${id}.jpg`), image.data, size).then(() => {
          pending.delete(job);
          onProgress?.({ done: ++done, total });
        });
        pending.add(job);
        // Awaiting also lets the encoder's results in: drawing alone would starve them.
        if (pending.size >= 2 * availableParallelism()) await Promise.race(pending);
      }
    await Promise.all(pending);
  } finally {
    await Promise.allSettled(pending);
  }
  if (train > 0) await writeLabels(join(dir, "training_solutions_rev1.csv"), lines);
}

/** Labels would be overwritten, images mixed with those of another set; an empty folder is no such part. */
async function refuseData(dir: string): Promise<void> {
  const names = await readdir(dir).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw fileError("writeSynthetic", `list ${dir}`, error);
  });
  const found: string[] = [];
  for (const name of names.filter(isPart).sort()) {
    const inside = await readdir(join(dir, name)).catch(() => undefined);
    if (inside?.length !== 0) found.push(name);
  }
  if (found.length > 0)
    throw new Error(
      `writeSynthetic: expected a folder without Galaxy Zoo data for ${dir} but got one with ${found.join(", ")}`,
    );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError("writeSynthetic", `make ${folder}`, error);
  }
}

async function writeJpeg(file: string, pixels: Uint8Array, size: number): Promise<void> {
  const raw = { width: size, height: size, channels: 3 } as const;
  const bytes = await sharp(pixels, { raw }).jpeg({ quality: QUALITY }).toBuffer();
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw fileError("writeSynthetic", `write ${file}`, error);
  }
}

async function writeLabels(file: string, lines: string[]): Promise<void> {
  const target = await createAtomic("writeSynthetic", file);
  try {
    await target.handle.writeFile(`${lines.join("\n")}\n`);
    await target.commit();
  } catch (error) {
    throw fileError("writeSynthetic", `write ${file}`, error);
  } finally {
    await target.discard();
  }
}

function checkOptions(dir: string, options: SyntheticOptions): void {
  if (typeof dir !== "string" || dir === "")
    throw expected("writeSynthetic", "a folder's path", "dir", dir);
  if (typeof options !== "object" || options === null)
    throw expected("writeSynthetic", "{ train, test, seed }", "options", options);
  const { train, test, seed, size = 424 } = options;
  for (const [name, value] of Object.entries({ train, test }))
    if (!Number.isInteger(value) || value < 0)
      throw new RangeError(
        `writeSynthetic: expected an integer >= 0 for ${name} but got ${String(value)}`,
      );
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(
      `writeSynthetic: expected a positive integer for size but got ${String(size)}`,
    );
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`writeSynthetic: expected a safe integer for seed but got ${String(seed)}`);
}
