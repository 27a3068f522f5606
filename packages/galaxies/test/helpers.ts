import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { onTestFinished } from "vitest";
import { ZipFile } from "yazl";
import { COLUMNS, KAGGLE_TREE } from "../src/tree.ts";

/** A temporary folder for the running test; GZ_CACHE_DIR lies in it meanwhile. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gz-galaxies-"));
  const before = process.env.GZ_CACHE_DIR;
  process.env.GZ_CACHE_DIR = join(folder, "cache");
  onTestFinished(async () => {
    if (before === undefined) delete process.env.GZ_CACHE_DIR;
    else process.env.GZ_CACHE_DIR = before;
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A JPEG of one colour that depends on the id: decoded red is about id % 256. */
export function jpeg(id: number, size = 16): Promise<Buffer> {
  const background = { r: id % 256, g: 64, b: 128 };
  return sharp({ create: { width: size, height: size, channels: 3, background } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

/** Vote fractions that keep Kaggle's tree: `first` of question 1's votes go to its first answer, all else is even. */
export function votes(first = 0.5): number[] {
  const values = new Map<string, number>();
  for (const { name, answers, parents } of KAGGLE_TREE) {
    const weight = parents ? parents.reduce((sum, parent) => sum + values.get(parent)!, 0) : 1;
    answers.forEach((answer, i) => {
      const share = name !== "Q1" ? 1 / answers.length : i === 0 ? first : (1 - first) / 2;
      values.set(answer, weight * share);
    });
  }
  return COLUMNS.map((column) => values.get(column)!);
}

export const HEADER: string = `GalaxyID,${COLUMNS.join(",")}`;

export const TRAIN = [100008, 100023, 100053, 100078];
export const TEST = [100018, 100037, 100042];

/** Row i has (i + 1) / 8 of its votes on Class1.1. */
export function labelsCsv(ids: readonly number[] = TRAIN): string {
  const rows = ids.map((id, i) => `${id},${votes((i + 1) / 8).join(",")}`);
  return `${[HEADER, ...rows].join("\n")}\n`;
}

/** Files by path. */
export type Files = Record<string, Buffer | string>;

/** Four training and three test galaxies, under the given names. */
export async function dataFiles(train: string, labels: string, test: string): Promise<Files> {
  const files: Files = { [labels]: labelsCsv() };
  for (const id of TRAIN) files[`${train}/${id}.jpg`] = await jpeg(id);
  for (const id of TEST) files[`${test}/${id}.jpg`] = await jpeg(id);
  return files;
}

export const kaggleFiles = (): Promise<Files> =>
  dataFiles("images_training_rev1", "training_solutions_rev1.csv", "images_test_rev1");

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

export async function zip(files: Files, { compress = true } = {}): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [path, content] of Object.entries(files))
    archive.addBuffer(Buffer.from(content), path, { compress });
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The files of one folder (or one name), as Kaggle's zips have them. */
export function only(files: Files, prefix: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith(prefix)));
}

/** Kaggle's three zips. */
export async function kaggleZips(compress = true): Promise<Files> {
  const files = await kaggleFiles();
  const zips: Files = {};
  for (const name of ["images_training_rev1", "training_solutions_rev1", "images_test_rev1"])
    zips[`${name}.zip`] = await zip(only(files, name), { compress });
  return zips;
}
