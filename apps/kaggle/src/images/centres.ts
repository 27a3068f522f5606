/**
 * Where the galaxy of each image lies and how large it is, measured once for a data set and kept beside the pixel caches
 * as a CSV file: GalaxyID,x,y,a,petrosian, nothing behind the id where no galaxy was found. Rows are added in order, so a
 * file with fewer rows than images is a measurement to go on with. Its name changes with the images, the threshold and
 * the version of the photometry.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheFolder, type Dataset, imagesFingerprint, type Split } from "@gz/galaxies";
import { backgroundLoader } from "@gz/train";
import { createProgress, formatSeconds, say } from "../cli/progress.ts";
import { writeAtomic } from "../run/run.ts";
import type { PhotometryWork } from "./photometry-worker.ts";

/** Raised when the same image would give other numbers. */
const VERSION = 2;
const HEADER = "GalaxyID,x,y,a,petrosian";
/** Numbers of a galaxy. */
const WIDTH = 4;
const BATCH = 16;
const SAVE_EVERY_MS = 10_000;
const WORKER = new URL("../../dist/images/photometry-worker.js", import.meta.url);

export interface GalaxyCentres {
  /** [images, 4] in the order of the ids, on shared memory: x, y, a, Petrosian radius in units of a; NaN where none. */
  values: Float32Array;
  file: string;
  /** Images without a galaxy. */
  missing: number;
}

export interface CentreOptions {
  /** Of detection, in standard deviations of the background. */
  threshold: number;
  signal?: AbortSignal | undefined;
}

/**
 * The centres of a split, measured where they are not known yet. Aborted, it keeps what is done and throws the signal's
 * reason.
 */
export async function galaxyCentres(
  dataset: Dataset,
  split: Split,
  options: CentreOptions,
): Promise<GalaxyCentres> {
  const { threshold } = options;
  const ids = split === "train" ? dataset.trainIds : dataset.testIds;
  const values = new Float32Array(
    new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT * WIDTH * ids.length),
  );
  const key = JSON.stringify([VERSION, threshold, await imagesFingerprint(dataset, split)]);
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  const folder = join(cacheFolder(), "pixels");
  const name = dataset.name.replace(/[^\w.-]+/g, "-");
  const file = join(folder, `${name}-${split}-photometry-${threshold}-${hash}.csv`);
  const known = read(file, ids, values);
  const started = performance.now();
  if (known < ids.length) {
    mkdirSync(folder, { recursive: true });
    await measure(dataset, split, options, { file, ids, values, known });
  }
  const missing = ids.filter((_, i) => Number.isNaN(values[WIDTH * i])).length;
  if (known < ids.length) {
    const time = formatSeconds((performance.now() - started) / 1000);
    const rest = missing ? "; the other images stay as they are" : "";
    say(
      `${split}: ${ids.length - missing} of ${ids.length} galaxies found above ${threshold} sigma in ${time}${rest}`,
    );
  }
  return { values, file, missing };
}

interface Table {
  file: string;
  ids: readonly number[];
  values: Float32Array;
}

async function measure(
  dataset: Dataset,
  split: Split,
  { threshold, signal }: CentreOptions,
  { known, ...table }: Table & { known: number },
): Promise<void> {
  const images = table.ids.length;
  const work: PhotometryWork = {
    pixels: { kind: "images", dataset: dataset.describe(), split },
    images,
    threshold,
  };
  const batches = backgroundLoader({
    worker: WORKER,
    workerData: work,
    batch: { xs: [BATCH, WIDTH] },
    workers: Math.min(availableParallelism(), Math.ceil(images / BATCH)),
    startStep: Math.floor(known / BATCH),
    steps: Math.ceil(images / BATCH),
  });
  const progress = createProgress(`measure ${split}`, images);
  let done = known;
  let saved = performance.now();
  try {
    for await (const { step, xs } of batches) {
      const first = step * BATCH;
      done = Math.min(images, first + BATCH);
      table.values.set(xs.data.subarray(0, WIDTH * (done - first)), WIDTH * first);
      progress.update(done);
      signal?.throwIfAborted();
      if (performance.now() - saved < SAVE_EVERY_MS) continue;
      write(table, done);
      saved = performance.now();
    }
  } finally {
    progress.stop();
    if (done > known) write(table, done);
  }
}

/** Reads what an earlier call wrote into `values`; how many images that is. */
function read(file: string, ids: readonly number[], values: Float32Array): number {
  if (!existsSync(file)) return 0;
  const [header, ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
  if (header !== HEADER || rows.length > ids.length) return 0;
  for (const [i, row] of rows.entries()) {
    const [id, ...numbers] = row.split(",");
    if (Number(id) !== ids[i] || numbers.length !== WIDTH) return 0;
    for (const [k, text] of numbers.entries())
      values[WIDTH * i + k] = text === "" ? Number.NaN : Number(text);
  }
  return rows.length;
}

function write({ file, ids, values }: Table, count: number): void {
  const lines = [HEADER];
  for (let i = 0; i < count; i++) {
    // Nine digits bring a float32 back as it was.
    const numbers = Array.from(values.subarray(WIDTH * i, WIDTH * (i + 1)), (value) =>
      Number.isNaN(value) ? "" : Number(value.toPrecision(9)),
    );
    lines.push([ids[i], ...numbers].join(","));
  }
  writeAtomic(file, `${lines.join("\n")}\n`);
}
