/** What is at a path, and everything that is wrong with it short of the images' bytes. */
import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { expected } from "./_check.ts";
import type { DatasetDescription, DatasetOptions } from "./dataset.ts";
import { checkFit } from "./decode.ts";
import { labelCheck } from "./labels.ts";
import { type LocatedImages, locate } from "./locate.ts";
import { type Report, readTable, reportFaults } from "./table.ts";
import { columnsOf } from "./tree.ts";

/** What `examine` found. */
export interface Examined {
  description: DatasetDescription;
  labels: Float32Array | undefined;
  /** Ids of the training images that are there, ascending, with or without a label. */
  trainImages: number[];
  /** Row of every id in the labels file, those of faulty rows too. */
  rows: Map<number, number>;
}

/** Lists and reads everything but the images' bytes, telling of each problem. */
export async function examine(
  caller: string,
  path: string,
  { tree, fit }: Required<DatasetOptions>,
  report: Report,
): Promise<Examined> {
  if (typeof path !== "string") throw expected(caller, "a path", "path", path);
  checkFit(caller, fit);
  const columns = columnsOf(tree);
  const { train, labels, test, faulty } = await locate(resolve(path), caller, report);
  const real = await realpath(path);
  const table = await reportFaults(report, async () =>
    labels?.read((stream) => readTable(stream, labels.file, columns, report, labelCheck(tree))),
  );
  const rows = table?.seen ?? new Map<number, number>();
  if (train && labels) {
    if (table) compareIds(train, labels.file, rows, report);
  } else if (train && !faulty)
    report({ file: path, message: "expected labels for the training images but there are none" });
  else if (labels && !faulty)
    report({ file: path, message: "expected images for the labels but there are none" });
  if (train && test) compareSplits(train, test, report);
  return {
    labels: table?.values,
    trainImages: train?.ids ?? [],
    rows,
    description: {
      name: basename(real),
      path: real,
      trainIds: table?.ids ?? [],
      testIds: test?.ids ?? [],
      labelsFile: labels?.file,
      labelRows: table?.rows ?? new Uint32Array(0),
      train: train?.description,
      test: test?.description,
      fit,
    },
  };
}

function compareIds(
  train: LocatedImages,
  labelsFile: string,
  rows: Map<number, number>,
  report: Report,
): void {
  const images = new Set(train.ids);
  const folder = folderName(train);
  for (const [id, row] of rows)
    if (!images.has(id))
      report({
        file: labelsFile,
        row,
        id,
        message: `expected image ${id}.jpg in ${folder} but it is missing`,
      });
  for (const id of train.ids)
    if (!rows.has(id))
      report({
        file: `${folder}/${id}.jpg`,
        id,
        message: `expected a row for ${id} in ${labelsFile} but there is none`,
      });
}

function compareSplits(train: LocatedImages, test: LocatedImages, report: Report): void {
  const trained = new Set(train.ids);
  for (const id of test.ids)
    if (trained.has(id))
      report({
        file: `${folderName(test)}/${id}.jpg`,
        id,
        message: `expected each galaxy in one split but ${id} is in ${folderName(train)} too`,
      });
}

function folderName({ description }: LocatedImages): string {
  return description.kind === "folder" ? description.folder : description.label;
}
