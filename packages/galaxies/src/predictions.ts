import { createReadStream } from "node:fs";
import { stringify } from "csv-stringify/sync";
import { expected } from "./_check.ts";
import { createAtomic, fileError } from "./files.ts";
import type { LabelCheck } from "./labels.ts";
import { MAX_ID, readTable, throwing } from "./table.ts";
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
  return readAs("readPredictions", file, columns);
}

/** The same in the name of another function, which may check the rows further. */
export async function readAs(
  caller: string,
  file: string,
  columns: readonly string[],
  check?: LabelCheck,
): Promise<Predictions> {
  const report = throwing(caller);
  const { ids, values } = (await readTable(createReadStream(file), file, columns, report, check))!;
  return { ids, values };
}

/** Takes rows as they come; the file appears under its name only at `close`. */
export interface PredictionsWriter {
  /** Adds one row; ids must ascend, as Kaggle has them. Await it: it waits where the disk is slower. */
  write(id: number, values: ArrayLike<number>): Promise<void>;
  /** Completes the file; from its call on no row is taken. */
  close(): Promise<void>;
  /** Gives up, unless it is closed: nothing is left, and a file that had the name before stays. */
  abort(): Promise<void>;
  /** For `await using`: what was not closed is given up. */
  [Symbol.asyncDispose](): Promise<void>;
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
  return startWriter(file, columns, { open: "openPredictions", write: "write" });
}

/** `callers`: the functions that errors of the file and of a row are to name. */
async function startWriter(
  file: string,
  columns: readonly string[],
  callers: { open: string; write: string },
): Promise<PredictionsWriter> {
  const target = await createAtomic(callers.open, file);
  let batch: string[][] = [["GalaxyID", ...columns]];
  let last = -1;
  let state: "open" | "closed" | "given up" = "open";
  let writing: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const flush = (): Promise<void> => {
    const text = stringify(batch);
    batch = [];
    writing = writing.then(() => target.handle.appendFile(text));
    return writing;
  };
  const giveUp = async (): Promise<void> => {
    state = "given up";
    await writing.catch(() => {});
    await target.discard();
  };
  const fail = async (error: unknown): Promise<never> => {
    await giveUp();
    throw fileError(callers.open, `write ${file}`, error);
  };
  const abort = async (): Promise<void> => {
    if (state === "open") await giveUp();
  };
  return {
    async write(id, values) {
      if (state !== "open")
        throw new Error(`${callers.write}: expected an open file but ${file} is ${state}`);
      if (!Number.isInteger(id) || id <= last || id > MAX_ID) {
        const range = last < 0 ? "of 0 or more" : `above ${last} (ids ascend)`;
        throw new RangeError(
          `${callers.write}: expected a GalaxyID ${id > MAX_ID ? "of at most 15 digits" : range} for ${file} but got ${id}`,
        );
      }
      batch.push(formatRow(callers.write, file, columns, id, values));
      last = id;
      if (batch.length >= BATCH) await flush().catch(fail);
    },
    async close() {
      if (state === "given up")
        throw new Error(`close: expected an open file but ${file} is ${state}`);
      state = "closed";
      await (closing ??= flush().then(target.commit).catch(fail));
    },
    abort,
    [Symbol.asyncDispose]: abort,
  };
}

function formatRow(
  caller: string,
  file: string,
  columns: readonly string[],
  id: number,
  values: ArrayLike<number>,
): string[] {
  if (values.length !== columns.length)
    throw new RangeError(
      `${caller}: expected ${columns.length} values for id ${id} of ${file} but got ${values.length}`,
    );
  const row = [String(id)];
  for (let k = 0; k < values.length; k++) {
    if (!Number.isFinite(Math.fround(values[k]!)))
      throw new RangeError(
        `${caller}: expected a finite float32 for ${columns[k]} of id ${id} in ${file} but got ${values[k]}`,
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
  if (!(values instanceof Float32Array))
    throw expected("writePredictions", "a Float32Array", "values", values);
  if (values.length !== ids.length * width)
    throw new RangeError(
      `writePredictions: expected ${ids.length} x ${width} values but got ${values.length}`,
    );
  const order = ids.map((_, i) => i).sort((a, b) => ids[a]! - ids[b]!);
  const caller = "writePredictions";
  const writer = await startWriter(file, columns, { open: caller, write: caller });
  try {
    for (const i of order) await writer.write(ids[i]!, values.subarray(i * width, (i + 1) * width));
    await writer.close();
  } finally {
    await writer.abort();
  }
}
