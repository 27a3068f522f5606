import { createReadStream } from "node:fs";
import { stringify } from "csv-stringify/sync";
import { createAtomic, fileError } from "./files.ts";
import { readTable, throwing } from "./table.ts";
import { COLUMNS } from "./tree.ts";

/** A table of predictions: values [ids.length, columns], row i belongs to ids[i]. */
export interface Predictions {
  ids: number[];
  values: Float32Array;
}

/** What the columns of a predictions file are. */
export interface PredictionsOptions {
  /** Default: Kaggle's 37; `columnsOf` gives those of another tree. */
  columns?: readonly string[];
}

/**
 * Reads predictions in Kaggle's format. Throws, with file and row, on another header, a short row, a value that is not
 * a finite number, or an id that stands there twice.
 */
export async function readPredictions(
  file: string,
  { columns = COLUMNS }: PredictionsOptions = {},
): Promise<Predictions> {
  const report = throwing("readPredictions");
  const { ids, values } = (await readTable(createReadStream(file), file, columns, report))!;
  return { ids, values };
}

/** Takes rows as they come; the file appears under its name only at `close`. */
export interface PredictionsWriter {
  /** Adds one row; ids must ascend, as Kaggle has them. Await it: it waits where the disk is slower. */
  write(id: number, values: ArrayLike<number>): Promise<void>;
  /** Completes the file. */
  close(): Promise<void>;
  /** Gives up: nothing is left, and a file that had the name before stays. */
  abort(): Promise<void>;
}

/** Rows that are formatted and written together. */
const BATCH = 256;

/**
 * Opens a predictions file for writing, row by row: header GalaxyID and the columns, values as the shortest decimals
 * that read back as the same float32. Written under a temporary name in the same folder, then renamed.
 */
export async function openPredictions(
  file: string,
  { columns = COLUMNS }: PredictionsOptions = {},
): Promise<PredictionsWriter> {
  const target = await createAtomic("openPredictions", file);
  let batch: string[][] = [["GalaxyID", ...columns]];
  let last = -1;
  let state: "open" | "closed" | "given up" = "open";
  let writing: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    const text = stringify(batch);
    batch = [];
    writing = writing.then(() => target.handle.appendFile(text));
    return writing;
  };
  const writer: PredictionsWriter = {
    async write(id, values) {
      if (state !== "open") throw new Error(`write: expected an open file but ${file} is ${state}`);
      if (!Number.isSafeInteger(id) || id <= last)
        throw new RangeError(
          `write: expected a GalaxyID ${last < 0 ? "of 0 or more" : `above ${last} (ids ascend)`} for ${file} but got ${id}`,
        );
      batch.push(formatRow(file, columns, id, values));
      last = id;
      if (batch.length >= BATCH) await flush().catch(fail);
    },
    async close() {
      if (state === "closed") return;
      if (state !== "open") throw new Error(`close: expected an open file but ${file} is ${state}`);
      await flush().then(target.commit).catch(fail);
      state = "closed";
    },
    async abort() {
      if (state !== "open") return;
      state = "given up";
      await writing.catch(() => {});
      await target.discard();
    },
  };
  const fail = async (error: unknown): Promise<never> => {
    await writer.abort();
    throw fileError("openPredictions", `write ${file}`, error);
  };
  return writer;
}

function formatRow(
  file: string,
  columns: readonly string[],
  id: number,
  values: ArrayLike<number>,
): string[] {
  if (values.length !== columns.length)
    throw new RangeError(
      `write: expected ${columns.length} values for id ${id} of ${file} but got ${values.length}`,
    );
  const row = [String(id)];
  for (let k = 0; k < values.length; k++) {
    if (!Number.isFinite(Math.fround(values[k]!)))
      throw new RangeError(
        `write: expected a finite float32 for ${columns[k]} of id ${id} in ${file} but got ${values[k]}`,
      );
    row.push(shortestFloat32(values[k]!));
  }
  return row;
}

/** The shortest decimal that rounds to the same float32: 6 to 9 significant digits always suffice. */
function shortestFloat32(value: number): string {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const decimal = Number(single.toPrecision(digits));
    if (Math.fround(decimal) === single) return String(decimal);
  }
  return String(Number(single.toPrecision(9)));
}

/** Writes a whole table, values [ids.length, columns] in any order of ids, as `openPredictions` does. */
export async function writePredictions(
  file: string,
  ids: readonly number[],
  values: Float32Array,
  { columns = COLUMNS }: PredictionsOptions = {},
): Promise<void> {
  const width = columns.length;
  if (values.length !== ids.length * width)
    throw new RangeError(
      `writePredictions: expected ${ids.length} x ${width} values but got ${values.length}`,
    );
  const order = ids.map((_, i) => i).sort((a, b) => ids[a]! - ids[b]!);
  const writer = await openPredictions(file, { columns });
  try {
    for (const i of order) await writer.write(ids[i]!, values.subarray(i * width, (i + 1) * width));
    await writer.close();
  } finally {
    await writer.abort();
  }
}

/**
 * Checks that a submission (a file, or its ids) has exactly the expected test ids.
 * Throws an error that names the missing and the extra ones (the first 10 of each, and how many).
 */
export async function checkSubmission(
  submission: string | readonly number[],
  expectedIds: readonly number[],
): Promise<void> {
  const name = typeof submission === "string" ? submission : "the submission";
  const ids = typeof submission === "string" ? (await readPredictions(submission)).ids : submission;
  const given = new Set(ids);
  const expected = new Set(expectedIds);
  const problems: string[] = [];
  const missing = expectedIds.filter((id) => !given.has(id));
  const extra = ids.filter((id) => !expected.has(id));
  if (missing.length > 0) problems.push(`${missing.length} are missing (${list(missing)})`);
  if (extra.length > 0) problems.push(`${extra.length} do not belong (${list(extra)})`);
  if (ids.length !== given.size) problems.push(`${ids.length - given.size} are there twice`);
  if (problems.length > 0)
    throw new Error(
      `checkSubmission: expected the ${expected.size} test ids in ${name} but ${problems.join(" and ")}`,
    );
}

function list(ids: readonly number[]): string {
  return ids.slice(0, 10).join(", ") + (ids.length > 10 ? ", ..." : "");
}
