import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { expected } from "./_check.ts";
import { concurrently } from "./concurrently.ts";
import { type Dataset, idsOf, type Split } from "./dataset.ts";
import { cacheFolder, createAtomic, fileError } from "./files.ts";
import { imagesFingerprint } from "./fingerprint.ts";
import {
  encodeHeader,
  fileSize,
  openPixelCache,
  type PixelHeader,
  pixelHeader,
  recordSize,
} from "./pixel-file.ts";
import { shrink as shrinkImage } from "./shrink.ts";

/** What a pixel cache holds. */
export interface PixelCacheShape {
  /** Whole factor by which images are shrunk (area mean); 1 keeps them as they are. */
  shrink?: number;
  /** Size of the data set's images in pixels. */
  width?: number;
  height?: number;
}

/** Where a pixel cache goes, and what is told while it is built. */
export interface PixelCacheOptions extends PixelCacheShape {
  /** Folder of the file; `cacheFolder()`/pixels if left out. */
  dir?: string;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** A pixel cache that is ready. */
export interface BuiltPixelCache {
  /** For `openPixelCache`, in any thread. */
  file: string;
  /** For it too: tells this cache from one of other or changed images. */
  fingerprint: string;
  bytes: number;
  count: number;
  height: number;
  width: number;
  /** False when an earlier one was there and still belongs to the data. */
  built: boolean;
}

/** Bytes that the pixel cache of a split takes on disk, known before it is built. */
export function pixelCacheSize(
  dataset: Dataset,
  split: Split,
  shape: PixelCacheShape = {},
): number {
  return fileSize(planned("pixelCacheSize", dataset, split, shape));
}

/**
 * Decodes all images of a split once into one file of fixed-size records, so that training reads pixels instead of JPEGs.
 * The file is used again as long as it belongs: same data set, ids, sizes and times of the image files, shrink and format
 * version; otherwise it is built anew, over the old one where data set, ids and size are the same. It appears under its
 * name only when whole: a killed build leaves nothing that is used, and two processes that build at the same time do not
 * disturb each other.
 *
 * Throws when an image cannot be read, decoded or has another size (with its file and row), when the disk has too little
 * room (before the work, where the system tells), and the signal's reason when it is aborted.
 */
export async function buildPixelCache(
  dataset: Dataset,
  split: Split,
  { dir = defaultFolder(), onProgress, signal, ...shape }: PixelCacheOptions = {},
): Promise<BuiltPixelCache> {
  const caller = "buildPixelCache";
  const plan = planned(caller, dataset, split, shape);
  const ids = idsOf(caller, dataset, split);
  const file = fileOf(dataset, dir, plan, ids);
  const header = { ...plan, fingerprint: await imagesFingerprint(dataset, split) };
  if (belongs(file, header)) return result(file, header, false);

  const { count, height, width, shrink } = header;
  const target = await createAtomic(caller, file, fileSize(header));
  let done = 0;
  const write = (data: Uint8Array, position: number): Promise<void> =>
    writeAll(target.handle, data, position).catch((error) => {
      throw fileError(caller, `write ${file}`, error);
    });
  try {
    await write(encodeHeader(header, ids), 0);
    await concurrently(count, { ...(signal && { signal }) }, async (i) => {
      const size = { width: width * shrink, height: height * shrink };
      const image = await dataset.image(ids[i]!, split, size);
      const { data } = shrink === 1 ? image : shrinkImage(image, shrink);
      await write(data, header.records + i * recordSize(header));
      onProgress?.(++done, count);
    });
    await target.commit();
  } finally {
    await target.discard();
  }
  return result(file, header, true);
}

/**
 * An earlier `buildPixelCache` of the same images in the same shape; undefined where there is none, or none that still
 * belongs to them.
 */
export async function findPixelCache(
  dataset: Dataset,
  split: Split,
  { dir = defaultFolder(), ...shape }: Omit<PixelCacheOptions, "onProgress" | "signal"> = {},
): Promise<BuiltPixelCache | undefined> {
  const plan = planned("findPixelCache", dataset, split, shape);
  const file = fileOf(dataset, dir, plan, idsOf("findPixelCache", dataset, split));
  // Without a file there is no need to ask for the times of all images.
  if (!existsSync(file)) return undefined;
  const header = { ...plan, fingerprint: await imagesFingerprint(dataset, split) };
  return belongs(file, header) ? result(file, header, false) : undefined;
}

function result(file: string, header: PixelHeader, built: boolean): BuiltPixelCache {
  const { fingerprint, count, height, width } = header;
  return { file, fingerprint, bytes: fileSize(header), count, height, width, built };
}

function defaultFolder(): string {
  return join(cacheFolder(), "pixels");
}

/** Where a cache goes: part of a data set has a file of its own, beside that of the whole. */
function fileOf(
  dataset: Dataset,
  dir: string,
  { split, height, width }: PixelHeader,
  ids: readonly number[],
): string {
  const hash = createHash("sha256").update(dataset.path).update(Float64Array.from(ids));
  const place = hash.digest("hex").slice(0, 8);
  const name = dataset.name.replace(/[^\w.-]+/g, "-");
  return join(dir, `${name}-${split}-${height}x${width}-${place}.pixels`);
}

/** The header of a cache, but for the fingerprint. */
function planned(
  caller: string,
  dataset: Dataset,
  split: Split,
  { shrink = 1, width = 424, height = 424 }: PixelCacheShape,
): PixelHeader {
  for (const [name, value] of Object.entries({ width, height }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw expected(caller, "a positive integer", name, value);
  if (!Number.isInteger(shrink) || shrink < 1 || width % shrink !== 0 || height % shrink !== 0)
    throw new RangeError(
      `${caller}: expected a whole factor that divides ${width} and ${height} for shrink but got ${shrink}`,
    );
  return pixelHeader({
    fingerprint: "",
    split,
    shrink,
    count: idsOf(caller, dataset, split).length,
    height: height / shrink,
    width: width / shrink,
  });
}

/** Whether the file is whole and its header is the one that a build would write now. */
function belongs(file: string, header: PixelHeader): boolean {
  try {
    const cache = openPixelCache(file);
    cache.close();
    return JSON.stringify(cache.header) === JSON.stringify(header);
  } catch {
    return false;
  }
}

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < data.length)
    done += (await handle.write(data, done, data.length - done, position + done)).bytesWritten;
}
