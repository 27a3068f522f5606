/**
 * Which data set predictions are of. FILE.csv and FILE.single.csv say it in FILE.origin.json beside them, since ids alone
 * do not: rendered data sets share them.
 */
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import type { Dataset } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { writeAtomic } from "./run.ts";

/** What FILE.origin.json holds. */
export interface Origin {
  formatVersion: 1;
  /** Path of the data set when it was predicted. */
  data: string;
  /** Of its labelled galaxies. */
  fingerprint: string;
}

/** Equal for the same ids with the same labels, wherever they lie; undefined for a data set without labels. */
export function fingerprintOf({
  trainIds,
  labels,
}: Pick<Dataset, "trainIds" | "labels">): string | undefined {
  if (!labels) return undefined;
  return createHash("sha256")
    .update(Float64Array.from(trainIds))
    .update(labels)
    .digest("hex")
    .slice(0, 16);
}

const originFile = (file: string) => `${file.replace(/(\.single)?\.csv$/, "")}.origin.json`;

/** Forgets what a file was of; to be called before it is written anew. */
export function removeOrigin(file: string): void {
  rmSync(originFile(file), { force: true });
}

/** Notes what a file that has just been written is of. */
export function writeOrigin(file: string, dataset: Dataset): void {
  const fingerprint = fingerprintOf(dataset);
  if (fingerprint === undefined) return;
  const origin: Origin = { formatVersion: 1, data: dataset.path, fingerprint };
  writeAtomic(originFile(file), `${JSON.stringify(origin, null, 1)}\n`);
}

/** Undefined for files of other programs, and of galaxies without labels. */
export function readOrigin(file: string): Origin | undefined {
  const name = originFile(file);
  if (!existsSync(name)) return undefined;
  const origin = readJson("blend", name) as Origin | null;
  if (origin?.formatVersion !== 1)
    throw new CliError(
      `blend: expected format version 1 in ${name} but got ${origin?.formatVersion}`,
    );
  return origin;
}
