import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { concurrently } from "./concurrently.ts";
import type { Dataset, Split } from "./dataset.ts";
import { decode } from "./decode.ts";
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
  return fileSize(headerOf(dataset, split, shape, ""));
}

/**
 * Decodes all images of a split once into one file of fixed-size records, so that training reads pixels instead of JPEGs.
 * The file is used again as long as it belongs: same data set, ids, sizes and times of the image files, shrink and format
 * version; otherwise it is built anew over the old one. It appears under its name only when whole: a killed build leaves
 * nothing that is used, and two processes that build at the same time do not disturb each other.
 *
 * Throws when an image cannot be read, decoded or has another size (with its file and row), when the disk has too little
 * room (before the work, where the system tells), and the signal's reason when it is aborted.
 */
export async function buildPixelCache(
  dataset: Dataset,
  split: Split,
  { dir = defaultFolder(), onProgress, signal, ...shape }: PixelCacheOptions = {},
): Promise<BuiltPixelCache> {
  const ids = split === "train" ? dataset.trainIds : dataset.testIds;
  const header = headerOf(dataset, split, shape, await imagesFingerprint(dataset, split));
  const { count, height, width, shrink } = header;
  const bytes = fileSize(header);
  const file = fileOf(dataset, dir, header);
  const result = { file, bytes, count, height, width };
  if (belongs(file, JSON.stringify(header))) return { ...result, built: false };

  const target = await createAtomic("buildPixelCache", file, bytes);
  let done = 0;
  const write = (data: Uint8Array, position: number): Promise<void> =>
    writeAll(target.handle, data, position).catch((error) => {
      throw fileError("buildPixelCache", `write ${file}`, error);
    });
  try {
    await write(encodeHeader(header, ids), 0);
    await concurrently(count, { ...(signal && { signal }) }, async (i) => {
      const id = ids[i]!;
      const options = {
        name: dataset.where(id, split),
        width: width * shrink,
        height: height * shrink,
      };
      const image = await decode(await dataset.read(id, split), options);
      const { data } = shrink === 1 ? image : shrinkImage(image, shrink);
      await write(data, header.records + i * recordSize(header));
      onProgress?.(++done, count);
    });
    await target.commit();
  } finally {
    await target.discard();
  }
  return { ...result, built: true };
}

/**
 * The file of an earlier `buildPixelCache` of the same images in the same shape, for `openPixelCache`; undefined where there
 * is none, or none that still belongs to them.
 */
export async function findPixelCache(
  dataset: Dataset,
  split: Split,
  { dir = defaultFolder(), ...shape }: Omit<PixelCacheOptions, "onProgress" | "signal"> = {},
): Promise<string | undefined> {
  const file = fileOf(dataset, dir, headerOf(dataset, split, shape, ""));
  // Without a file there is no need to ask for the times of all images.
  if (!existsSync(file)) return undefined;
  const header = headerOf(dataset, split, shape, await imagesFingerprint(dataset, split));
  return belongs(file, JSON.stringify(header)) ? file : undefined;
}

function defaultFolder(): string {
  return join(cacheFolder(), "pixels");
}

function fileOf(dataset: Dataset, dir: string, { split, height, width }: PixelHeader): string {
  const place = createHash("sha256").update(dataset.path).digest("hex").slice(0, 8);
  const name = dataset.name.replace(/[^\w.-]+/g, "-");
  return join(dir, `${name}-${split}-${height}x${width}-${place}.pixels`);
}

function headerOf(
  dataset: Dataset,
  split: Split,
  { shrink = 1, width = 424, height = 424 }: PixelCacheShape,
  fingerprint: string,
): PixelHeader {
  if (!Number.isInteger(shrink) || shrink < 1 || width % shrink !== 0 || height % shrink !== 0)
    throw new RangeError(
      `buildPixelCache: expected a whole factor that divides ${width} and ${height} for shrink but got ${shrink}`,
    );
  const count = (split === "train" ? dataset.trainIds : dataset.testIds).length;
  return pixelHeader({
    fingerprint,
    split,
    shrink,
    count,
    height: height / shrink,
    width: width / shrink,
  });
}

/** Whether the file is whole and its header is the one that a build would write now. */
function belongs(file: string, header: string): boolean {
  try {
    const cache = openPixelCache(file);
    cache.close();
    return JSON.stringify(cache.header) === header;
  } catch {
    return false;
  }
}

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < data.length)
    done += (await handle.write(data, done, data.length - done, position + done)).bytesWritten;
}
