import { concurrently } from "./concurrently.ts";
import { openDataset, type Split } from "./dataset.ts";
import { decode, type Fit } from "./decode.ts";
import { type Examined, examine } from "./examine.ts";
import type { Problem } from "./table.ts";
import { KAGGLE_TREE, type QuestionTree } from "./tree.ts";

/** How thorough `checkDataset` is. */
export interface CheckOptions {
  /** The questions whose answers are the labels' columns. Default: Kaggle's. */
  tree?: QuestionTree;
  /** Also read and decode every image; takes about 2 ms an image and core. */
  decode?: boolean;
  /** Expected size of the images in pixels. */
  width?: number;
  height?: number;
  /** "cover": images of other sizes are no problem, see `openDataset`. Default: "exact". */
  fit?: Fit;
  /** Images decoded so far, of how many. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Lists everything that is wrong with the data at `path`: zips and folders that cannot be read, images whose name is no
 * id; label rows that are short, not numbers, outside [0, 1], off the tree (all within 1e-5) or repeat an id; ids without
 * image, images without label, ids in both splits; with `decode`, images that cannot be read or decoded or have another
 * size. They come in this order, labels by row; an empty list means that all is well.
 *
 * Throws when there is no data set at `path` at all.
 */
export async function checkDataset(path: string, options: CheckOptions = {}): Promise<Problem[]> {
  const problems: Problem[] = [];
  const { tree = KAGGLE_TREE, fit = "exact" } = options;
  const report = (problem: Problem): unknown => problems.push(problem);
  const examined = await examine("checkDataset", path, { tree, fit }, report);
  if (options.decode) problems.push(...(await decodeAll(examined, options)));
  return problems;
}

/** Decodes every image that is there, labelled or not. */
async function decodeAll(
  { description, trainImages, rows }: Examined,
  { width, height, onProgress, signal }: CheckOptions,
): Promise<Problem[]> {
  const { testIds } = description;
  const size = { ...(width && { width }), ...(height && { height }) };
  const total = trainImages.length + testIds.length;
  const found = new Map<number, Problem>();
  let done = 0;
  const dataset = await openDataset(description);
  try {
    await concurrently(total, { ...(signal && { signal }) }, async (i) => {
      const split: Split = i < trainImages.length ? "train" : "test";
      const id = split === "train" ? trainImages[i]! : testIds[i - trainImages.length]!;
      try {
        await decode(await dataset.read(id, split), {
          name: `${id}.jpg`,
          ...size,
          fit: description.fit,
        });
      } catch (error) {
        const message = (error as Error).message.replace(/^\w+: /, "");
        const row = split === "train" ? rows.get(id) : undefined;
        found.set(i, { file: dataset.file(id, split), ...(row && { row }), id, message });
      }
      onProgress?.(++done, total);
    });
  } finally {
    await dataset.close();
  }
  return [...found].sort(([a], [b]) => a - b).map(([, problem]) => problem);
}
