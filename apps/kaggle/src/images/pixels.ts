/** Decoded images of a split, and where their galaxies lie: what the loader's threads read. */
import type { Image } from "@gz/augment";
import { type DatasetDescription, openDataset, openPixelCache, type Split } from "@gz/galaxies";
import type { Centre } from "./input.ts";

/** Plain data, so that each worker thread opens its own. */
export type PixelSource = (
  | { kind: "cache"; file: string; fingerprint: string }
  | { kind: "images"; dataset: DatasetDescription; split: Split }
) & {
  /** x, y, a and Petrosian radius of each image's galaxy, NaN where there is none; of recipes that centre them. */
  centres?: Float32Array;
};

export interface Pixels {
  /** The image of a row (train: CSV order, test: ascending ids). Valid until the next call. */
  read(row: number): Image | Promise<Image>;
  /** Its galaxy, as far as one is known. */
  centre(row: number): Centre | undefined;
}

/** Opens a source in this thread; it is closed with the thread. */
export async function openPixels(source: PixelSource): Promise<Pixels> {
  const { centres } = source;
  const centre = (row: number): Centre | undefined => {
    const x = centres?.[4 * row];
    if (!centres || x === undefined || Number.isNaN(x)) return undefined;
    const [y, a, petrosian] = [1, 2, 3].map((k) => centres[4 * row + k]!);
    return { x, y: y!, a: a!, petrosian: petrosian! };
  };
  if (source.kind === "cache") {
    const { file, fingerprint } = source;
    const cache = openPixelCache(file, { fingerprint });
    const buffer = new Uint8Array(cache.height * cache.width * 3);
    return { read: (row) => cache.read(row, buffer), centre };
  }
  const { split } = source;
  const dataset = await openDataset(source.dataset);
  const ids = split === "train" ? dataset.trainIds : dataset.testIds;
  return { read: (row) => dataset.image(ids[row]!, split), centre };
}
