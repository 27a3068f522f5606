import { basename } from "node:path";
import type { NdArray } from "ndarray";
import { expected } from "./_check.ts";
import { type DecodeOptions, decode, type Fit } from "./decode.ts";
import { examine } from "./examine.ts";
import { reason } from "./files.ts";
import { type Images, type ImagesDescription, openImages } from "./images.ts";
import { throwing } from "./table.ts";
import { KAGGLE_TREE, type QuestionTree } from "./tree.ts";

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
  /** The same decoded, uint8 RGB [height, width, 3]; an error names the image by `where`. */
  image(
    id: number,
    split: Split,
    size?: Pick<DecodeOptions, "width" | "height">,
  ): Promise<NdArray<Uint8Array>>;
  /** The image's file, or its name behind the zip's, for messages. */
  file(id: number, split: Split): string;
  /** The same with the row of the labels file that the image belongs to. */
  where(id: number, split: Split): string;
  /** Plain data for `openDataset` in a worker thread, which then neither lists nor checks anything again. */
  describe(): DatasetDescription;
  /** Closes the files that are held open; `await using` does so too. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
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
  /** What becomes of images of other sizes. */
  fit: Fit;
}

/** What `openDataset` expects of the labels. */
export interface DatasetOptions {
  /** The questions whose answers are the labels' columns. Default: Kaggle's. */
  tree?: QuestionTree;
  /** What `image` and the caches do with images of other sizes than Galaxy Zoo's. Default: "exact", they throw. */
  fit?: Fit;
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
  { tree = KAGGLE_TREE, fit = "exact" }: DatasetOptions = {},
): Promise<Dataset> {
  if (typeof source !== "string") {
    if (!Array.isArray(source?.trainIds))
      throw expected("openDataset", "a path or what `describe` gave", "source", source);
    return fromDescription(source, undefined);
  }
  const report = throwing("openDataset");
  const { description, labels } = await examine("openDataset", source, { tree, fit }, report);
  return fromDescription(description, labels);
}

/** The ids of a split that has images: one without, or with a mistyped name, would make an empty cache and no error. */
export function idsOf(caller: string, dataset: Dataset, split: Split): readonly number[] {
  if (split !== "train" && split !== "test")
    throw expected(caller, '"train" or "test"', "split", split);
  const ids = split === "train" ? dataset.trainIds : dataset.testIds;
  if (ids.length === 0)
    throw new Error(`${caller}: expected ${split} images in ${dataset.path} but there are none`);
  return ids;
}

async function fromDescription(
  description: DatasetDescription,
  labels: Float32Array | undefined,
): Promise<Dataset> {
  const { name, path, trainIds, testIds, labelsFile, labelRows, fit } = description;
  const train = description.train && (await openImages(description.train));
  const test =
    description.test &&
    (await openImages(description.test).catch(async (error) => {
      await train?.close();
      throw error;
    }));
  const sources: Record<Split, Images | undefined> = { train, test };
  let rows: Map<number, number> | undefined;
  const file = (id: number, split: Split): string =>
    sources[split]?.file(id) ?? `${path} (no ${split} images)`;
  const where = (id: number, split: Split): string => {
    if (split === "test" || labelsFile === undefined) return file(id, split);
    rows ??= new Map(trainIds.map((id, i) => [id, labelRows[i]!]));
    const row = rows.get(id);
    return `${file(id, split)}${row === undefined ? "" : ` (row ${row} of ${basename(labelsFile)})`}`;
  };
  const read = async (id: number, split: Split): Promise<Buffer> => {
    const source = sources[split];
    if (!source) throw new Error(`read: expected ${split} images in ${path} but there are none`);
    try {
      return await source.read(id);
    } catch (error) {
      const message = `read: expected an image at ${where(id, split)} but ${reason(error)}`;
      throw new Error(message, { cause: error });
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all([train?.close(), test?.close()]);
  };
  return {
    name,
    path,
    trainIds,
    testIds,
    labels,
    read,
    image: async (id, split, size) =>
      decode(await read(id, split), { ...size, fit, name: where(id, split) }),
    file,
    where,
    describe: () => description,
    close,
    [Symbol.asyncDispose]: close,
  };
}
