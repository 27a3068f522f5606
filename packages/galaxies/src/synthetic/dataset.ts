import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import sharp from "sharp";
import { createAtomic, fileError } from "../files.ts";
import { KAGGLE_TREE } from "../tree.ts";
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
 * @throws TypeError or RangeError for bad options; Error where `dir` already holds such a set or
 *   cannot be written; the signal's reason when it is aborted
 */
export async function writeSynthetic(dir: string, options: SyntheticOptions): Promise<void> {
  checkOptions(dir, options);
  const { train, test, seed, size = 424, onProgress, signal } = options;
  const splits = [
    { folder: join(dir, "images_training_rev1"), count: train },
    { folder: join(dir, "images_test_rev1"), count: test },
  ];
  for (const { folder, count } of splits) await prepareFolder(folder, count);

  const columns = KAGGLE_TREE.flatMap((question) => question.answers);
  const lines = [["GalaxyID", ...columns].join(",")];
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

async function prepareFolder(folder: string, count: number): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(
      `writeSynthetic: expected an empty folder for ${folder} but got one with files`,
    );
  if (count === 0) return;
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

function checkOptions(dir: string, { train, test, seed, size = 424 }: SyntheticOptions): void {
  if (typeof dir !== "string" || dir === "")
    throw new TypeError(`writeSynthetic: expected a folder's path for dir but got ${String(dir)}`);
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
