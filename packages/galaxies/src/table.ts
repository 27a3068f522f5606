import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { reason } from "./files.ts";

/** Something wrong with a data set or a file: where, and what. */
export interface Problem {
  /** The file, or the file inside a zip, that the problem is about. */
  file: string;
  /** The row of a CSV as a text editor numbers lines: the header is 1. */
  row?: number;
  /** GalaxyID. */
  id?: number;
  /** What was expected, and what is there instead. */
  message: string;
}

/** Told of each problem; throws to stop at the first. */
export type Report = (problem: Problem) => void;

/** Thrown where a whole file cannot be used, for `reportFaults` to catch. */
export class FaultyFile extends Error {
  readonly file: string;

  constructor(file: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.file = file;
  }
}

/** What `use` gives; undefined where a file that it needs is faulty, which is reported. */
export async function reportFaults<T>(
  report: Report,
  use: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof FaultyFile)) throw error;
    report({ file: error.file, message: error.message });
    return undefined;
  }
}

/** The largest id: one of 15 digits, as a double holds exactly. */
export const MAX_ID: number = 1e15 - 1;

/** A report that stops at the first problem, with the name of the function the user called. */
export function throwing(functionName: string): Report {
  return ({ file, row, message }) => {
    throw new Error(
      `${functionName}: ${file}${row === undefined ? "" : ` row ${row}`}: ${message}`,
    );
  };
}

/** The values of a table: [rows, columns], row i belongs to ids[i]. */
export interface Table {
  ids: number[];
  values: Float32Array;
  /** Line of each row in its file. */
  rows: Uint32Array;
  /** Every id that stands in the file, those of faulty rows too. */
  seen: Map<number, number>;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a CSV in Kaggle's format (GalaxyID and the columns) as a stream.
 * A faulty row is reported and left out; `check` may find more about a row, from its values in double precision.
 * Undefined when the file as a whole cannot be used, which is reported too.
 */
export async function readTable(
  stream: Readable,
  file: string,
  columns: readonly string[],
  report: Report,
  check?: (values: Float64Array) => string | undefined,
): Promise<Table | undefined> {
  const width = columns.length;
  const ids: number[] = [];
  const rows: number[] = [];
  const seen = new Map<number, number>();
  let values = new Float32Array(1024 * width);
  const current = new Float64Array(width);
  let headerSeen = false;
  // Column counts are checked here rather than by the parser, so that one short row does not hide the next.
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    // The parser would take the header's line break for everyone's: rows that a script added may have another.
    record_delimiter: ["\r\n", "\n", "\r"],
  });
  let broken: unknown;
  stream.once("error", (error) => {
    broken = error;
  });
  pipeline(stream, parser, () => {}); // an error of the stream destroys the parser, which then throws below
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: { lines: number } };
      const row = info.lines;
      if (!headerSeen) {
        headerSeen = true;
        const wrong = headerProblem(record, columns);
        if (wrong === undefined) continue;
        report({ file, row, message: wrong });
        return undefined;
      }
      const found = parseRow(record, columns, row, seen, current) ?? check?.(current);
      if (found !== undefined) {
        const id = isId(record[0]) ? { id: Number(record[0]) } : {};
        report({ file, row, ...id, message: found });
        continue;
      }
      if ((ids.length + 1) * width > values.length) {
        const larger = new Float32Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values.set(current, ids.length * width);
      ids.push(Number(record[0]));
      rows.push(row);
    }
  } catch (error) {
    const { code, lines, message } = error as { code?: string; lines?: number; message: string };
    const row = lines === undefined ? {} : { row: lines };
    if (error === broken) report({ file, message: `expected a file to read but ${reason(error)}` });
    else if (code?.startsWith("CSV_"))
      report({ file, ...row, message: `expected CSV but got: ${message}` });
    else throw error;
    return undefined;
  }
  if (!headerSeen) {
    report({ file, message: "expected a header and rows but the file is empty" });
    return undefined;
  }
  return { ids, values: values.slice(0, ids.length * width), rows: Uint32Array.from(rows), seen };
}

function headerProblem(record: string[], columns: readonly string[]): string | undefined {
  const expected = ["GalaxyID", ...columns];
  const header =
    columns.length === 1
      ? `GalaxyID, ${columns[0]}`
      : `GalaxyID, ${columns[0]} ... ${columns.at(-1)}`;
  for (let i = 0; i < Math.max(expected.length, record.length); i++)
    if (record[i]?.trim() !== expected[i])
      return `expected the header ${header} but column ${i + 1} is ${
        record[i] === undefined ? "missing" : JSON.stringify(record[i])
      }${expected[i] === undefined ? "" : ` instead of ${expected[i]}`}`;
  return undefined;
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text);
}

/** Fills `into` and returns undefined, or returns what is wrong with the row. */
function parseRow(
  record: string[],
  columns: readonly string[],
  row: number,
  seen: Map<number, number>,
  into: Float64Array,
): string | undefined {
  if (!isId(record[0]))
    return `expected a GalaxyID, a number of at most 15 digits, but got ${JSON.stringify(record[0])}`;
  const id = Number(record[0]);
  const earlier = seen.get(id);
  if (earlier !== undefined)
    return `expected each id once but ${id} stands in row ${earlier} already`;
  seen.set(id, row);
  if (record.length !== into.length + 1)
    return `expected ${into.length + 1} values but got ${record.length}`;
  for (let k = 0; k < into.length; k++) {
    const text = record[k + 1]!.trim();
    if (!NUMBER.test(text))
      return `expected a number for ${columns[k]} but got ${JSON.stringify(text)}`;
    into[k] = Number(text);
    // 1e39 passes the pattern, and would be Infinity in the table
    if (!Number.isFinite(Math.fround(into[k]!)))
      return `expected a number within float32 for ${columns[k]} but got ${text}`;
  }
  return undefined;
}
