import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { reason } from "./files.ts";
import { type Images, type ImagesDescription, openImages } from "./images.ts";
import { labelCheck } from "./labels.ts";
import { type LocatedImages, locate } from "./locate.ts";
import { type Report, readTable, throwing } from "./table.ts";
import { columnsOf, KAGGLE_TREE, type QuestionTree } from "./tree.ts";

/** Which half of a data set: galaxies with labels, or without. */
export type Split = "train" | "test";

/** Galaxy Zoo images, their ids and labels, wherever they lie. */
export interface Dataset {
  /** Name of the folder or zip. */
  name: string;
  /** Its real path. */
  path: string;
  /** GalaxyIDs of the labelled galaxies, in the order of the labels file. */
  trainIds: number[];
  /** GalaxyIDs of the test galaxies, ascending. */
  testIds: number[];
  /** Vote fractions [trainIds.length, columns]; undefined where there are no labels, or after opening by description. */
  labels: Float32Array | undefined;
  /** The JPEG bytes of one image; any number of calls may run at a time. */
  read(id: number, split: Split): Promise<Buffer>;
  /** The image's file, or its name behind the zip's, for messages. */
  file(id: number, split: Split): string;
  /** The same with the row of the labels file that the image belongs to. */
  where(id: number, split: Split): string;
  /** Plain data for `openDataset` in a worker thread, which then neither lists nor checks anything again. */
  describe(): DatasetDescription;
  /** Closes the files that are held open. */
  close(): Promise<void>;
}

/** What `Dataset.describe` gives: can be sent to a worker thread. */
export interface DatasetDescription {
  name: string;
  path: string;
  trainIds: number[];
  testIds: number[];
  /** The labels file, and the row of each training id in it. */
  labelsFile: string | undefined;
  labelRows: Uint32Array;
  train: ImagesDescription | undefined;
  test: ImagesDescription | undefined;
}

/** What `openDataset` expects of the labels. */
export interface DatasetOptions {
  /** The questions whose answers are the labels' columns. Default: Kaggle's. */
  tree?: QuestionTree;
}

/**
 * Opens Galaxy Zoo data: a folder as Kaggle's zips unpack (images_training_rev1/, training_solutions_rev1.csv,
 * images_test_rev1/), a folder with these zips as downloaded, galaxy-zoo-the-galaxy-challenge.zip itself (or a folder
 * with it), or a folder with images/, labels.csv and test/; any mix of them. Either split may be absent.
 * Zips are read in place; only a zip that lies deflated inside another is unpacked once, into the cache folder.
 *
 * Labels are checked against the tree within 1e-5, and ids against images; throws at the first problem, with file
 * and row (`checkDataset` lists all of them).
 */
export async function openDataset(
  source: string | DatasetDescription,
  { tree = KAGGLE_TREE }: DatasetOptions = {},
): Promise<Dataset> {
  if (typeof source !== "string") return fromDescription(source, undefined);
  const { description, labels } = await examine(source, tree, throwing("openDataset"));
  return fromDescription(description, labels);
}

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
export async function examine(path: string, tree: QuestionTree, report: Report): Promise<Examined> {
  const columns = columnsOf(tree);
  const { train, labels, test } = await locate(resolve(path));
  const real = await realpath(path);
  const table = await labels?.read((stream) =>
    readTable(stream, labels.file, columns, report, labelCheck(tree)),
  );
  const rows = table?.seen ?? new Map<number, number>();
  if (train && labels) {
    if (table) compareIds(train, labels.file, rows, report);
  } else if (train)
    report({ file: path, message: "expected labels for the training images but there are none" });
  else if (labels)
    report({ file: path, message: "expected images for the labels but there are none" });
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

function folderName({ description }: LocatedImages): string {
  return description.kind === "folder" ? description.folder : description.label;
}

async function fromDescription(
  description: DatasetDescription,
  labels: Float32Array | undefined,
): Promise<Dataset> {
  const { name, path, trainIds, testIds, labelsFile, labelRows } = description;
  const sources: Record<Split, Images | undefined> = {
    train: description.train && (await openImages(description.train)),
    test: description.test && (await openImages(description.test)),
  };
  let rows: Map<number, number> | undefined;
  const file = (id: number, split: Split): string =>
    sources[split]?.file(id) ?? `${path} (no ${split} images)`;
  const where = (id: number, split: Split): string => {
    if (split === "test" || labelsFile === undefined) return file(id, split);
    rows ??= new Map(trainIds.map((id, i) => [id, labelRows[i]!]));
    const row = rows.get(id);
    return `${file(id, split)}${row === undefined ? "" : ` (row ${row} of ${basename(labelsFile)})`}`;
  };
  return {
    name,
    path,
    trainIds,
    testIds,
    labels,
    async read(id, split) {
      const source = sources[split];
      if (!source) throw new Error(`read: expected ${split} images in ${path} but there are none`);
      try {
        return await source.read(id);
      } catch (error) {
        const message = `read: expected an image at ${where(id, split)} but ${reason(error)}`;
        throw new Error(message, { cause: error });
      }
    },
    file,
    where,
    describe: () => description,
    async close() {
      await Promise.all([sources.train?.close(), sources.test?.close()]);
    },
  };
}
