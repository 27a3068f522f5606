/** What one member of a blend has predicted: a run folder's or a CSV file's rows, with labels and without. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Predictions, readPredictions } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import type { Labels } from "./labels.ts";
import { rowsOf } from "./rows.ts";
import { listIds } from "./same-galaxies.ts";

/** A file and those of its rows that are used. */
export interface Part extends Predictions {
  file: string;
}

/** What a member was read from. */
export interface Source {
  labelled?: Part | undefined;
  wanted?: Part | undefined;
}

/** How files are read. */
export interface Reading {
  /** The columns that they are to have. */
  columns: readonly string[];
  labels?: Labels | undefined;
}

/** Reads a run folder or a file. Throws a CliError that names it if it is not there, has no predictions or not of these galaxies. */
export async function readSource(source: string, reading: Reading): Promise<Source> {
  const read = await (isFolder(source) ? readRun(source, reading) : readFile(source, reading));
  if (reading.labels && !read.labelled) throw noLabels(source, read, reading.labels);
  return read;
}

function isFolder(source: string): boolean {
  if (!existsSync(source))
    throw new CliError(`blend: expected a predictions file or a run but ${source} is not there`);
  return statSync(source).isDirectory();
}

/** A run's predictions/valid.csv and test.csv. */
async function readRun(run: string, { columns, labels }: Reading): Promise<Source> {
  const [valid, test] = ["valid", "test"].map((split) => join(run, "predictions", `${split}.csv`));
  if (!existsSync(valid!) && !existsSync(test!))
    throw new CliError(`blend: ${run} has no predictions yet; run kaggle predict --run ${run}`);
  const wanted = existsSync(test!) ? await readPart(test!, columns) : undefined;
  if (!existsSync(valid!)) return { wanted };
  if (labels) return { wanted, labelled: await readLabelled(valid!, columns, labels) };
  return { wanted: wanted ?? (await readPart(valid!, columns)) };
}

async function readPart(file: string, columns: readonly string[]): Promise<Part> {
  const part = { file, ...(await readPredictions(file, { columns })) };
  if (part.ids.length > 0) return part;
  throw new CliError(`blend: expected predictions in ${file} but it has only a header`);
}

/** A valid.csv, of which every galaxy is to have a label. */
async function readLabelled(
  file: string,
  columns: readonly string[],
  { known, source }: Labels,
): Promise<Part> {
  const part = await readPart(file, columns);
  const without = part.ids.filter((id) => !known.has(id));
  if (without.length === 0) return part;
  throw new CliError(
    `blend: expected labels in ${source} for the ${part.ids.length} galaxies of ${file} but ${without.length} have none (${listIds(without)}): is it of another data set?`,
  );
}

/** One file's rows, parted by whether they have labels; where none has, those of the valid.csv beside it. */
async function readFile(file: string, { columns, labels }: Reading): Promise<Source> {
  const all = await readPart(file, columns);
  if (!labels) return { wanted: all };
  const part = (has: boolean): Part | undefined => {
    const ids = all.ids.filter((id) => labels.known.has(id) === has);
    return ids.length > 0 ? { file, ids, values: rowsOf(all, ids)! } : undefined;
  };
  const [labelled, wanted] = [part(true), part(false)];
  const beside = join(dirname(file), "valid.csv");
  return !labelled && existsSync(beside) && resolve(beside) !== resolve(file)
    ? { labelled: await readLabelled(beside, columns, labels), wanted }
    : { labelled, wanted };
}

function noLabels(source: string, { wanted }: Source, labels: Labels): CliError {
  const { file } = wanted!;
  const valid = join(isFolder(source) ? join(source, "predictions") : dirname(source), "valid.csv");
  return new CliError(
    resolve(valid) === resolve(file)
      ? `blend: expected galaxies of ${labels.source} in ${file} but none of its ${wanted!.ids.length} has a label there (${listIds(wanted!.ids)}): it is of another data set`
      : `blend: expected predictions of galaxies with labels in ${labels.source} but none are in ${file} and ${valid} is not there; run kaggle predict --split valid`,
  );
}
