/**
 * The file of a pixel cache:
 *
 *   bytes 0 .. 4095   header, JSON padded with spaces: `head -c 4096 FILE` shows it
 *   then              count ids, float64
 *   from `records`    count records of height * width * 3 bytes, RGB, row-major, in the order of the ids
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { NdArray } from "ndarray";
import ndarray from "ndarray";
import { expected } from "./_check.ts";
import { fileError } from "./files.ts";

const FORMAT = "gz-pixels";
const VERSION = 1;
const BLOCK = 4096;

/** What the header says. */
export interface PixelHeader {
  format: typeof FORMAT;
  version: typeof VERSION;
  /** Hash of everything the pixels depend on: data set, its files' sizes and times, split. */
  fingerprint: string;
  split: string;
  shrink: number;
  count: number;
  height: number;
  width: number;
  /** Position of the first record. */
  records: number;
}

/** A header for `count` records. */
export function pixelHeader(
  fields: Omit<PixelHeader, "format" | "version" | "records">,
): PixelHeader {
  const records = Math.ceil((BLOCK + 8 * fields.count) / BLOCK) * BLOCK;
  return { format: FORMAT, version: VERSION, ...fields, records };
}

/** Bytes of a record. */
export function recordSize({ height, width }: { height: number; width: number }): number {
  return height * width * 3;
}

/** Bytes of the whole file. */
export function fileSize(header: PixelHeader): number {
  return header.records + header.count * recordSize(header);
}

/** The bytes before the records. */
export function encodeHeader(header: PixelHeader, ids: readonly number[]): Buffer {
  const bytes = Buffer.alloc(header.records, " ");
  bytes.write(`${JSON.stringify(header)}\n`);
  ids.forEach((id, i) => void bytes.writeDoubleLE(id, BLOCK + 8 * i));
  return bytes;
}

/** Decoded images of one split of a data set, read at random. */
export interface PixelCache {
  /** GalaxyID of each record: trainIds or testIds of the data set. */
  ids: number[];
  height: number;
  width: number;
  header: PixelHeader;
  /** Reads record `index` as uint8 RGB [height, width, 3], into `out` (height * width * 3 bytes) when given. */
  read(index: number, out?: Uint8Array): NdArray<Uint8Array>;
  /** Ends it; `read` throws from then on. `using` does so too. */
  close(): void;
  [Symbol.dispose](): void;
}

/** What `openPixelCache` expects. */
export interface OpenPixelCacheOptions {
  /** That of `buildPixelCache`: a cache that was since built of other or changed images is refused. */
  fingerprint?: string;
}

/**
 * Opens a file that `buildPixelCache` made. Reads are synchronous and hold no state: one file may be open in any number
 * of threads, and a rebuild by another process does not disturb those who have it open.
 *
 * Throws when the file cannot be opened, is not a pixel cache, is of another format version, has another fingerprint or
 * is cut short.
 */
export function openPixelCache(
  file: string,
  { fingerprint }: OpenPixelCacheOptions = {},
): PixelCache {
  const fd = openFile(file);
  let closed = false;
  try {
    const header = readHeader(fd, file);
    if (fingerprint !== undefined && header.fingerprint !== fingerprint)
      throw new Error(
        `openPixelCache: expected fingerprint ${fingerprint} in ${file} but got ${header.fingerprint}: it was built of other images`,
      );
    const idBytes = Buffer.alloc(8 * header.count);
    fill("openPixelCache", fd, idBytes, BLOCK, file);
    const { count, height, width, records } = header;
    const size = recordSize(header);
    const close = (): void => {
      if (!closed) closeSync(fd);
      closed = true;
    };
    return {
      ids: Array.from({ length: count }, (_, i) => idBytes.readDoubleLE(8 * i)),
      height,
      width,
      header,
      read(index, out = new Uint8Array(size)) {
        // Its number may have been given to another file.
        if (closed) throw new Error(`read: expected an open file but ${file} is closed`);
        if (!Number.isInteger(index) || index < 0 || index >= count)
          throw new RangeError(
            `read: expected an index from 0 to ${count - 1} for ${file} but got ${index}`,
          );
        if (!(out instanceof Uint8Array) || out.length !== size)
          throw expected("read", `a Uint8Array of ${size} bytes`, "out", out);
        fill("read", fd, out, records + index * size, file);
        return ndarray(out, [height, width, 3]);
      },
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw fileError("openPixelCache", `open ${file}`, error);
  }
}

function readHeader(fd: number, file: string): PixelHeader {
  const block = Buffer.alloc(BLOCK);
  const length = readSync(fd, block, 0, BLOCK, 0);
  let header: PixelHeader | undefined;
  try {
    header = JSON.parse(block.toString("utf8", 0, length));
  } catch {}
  if (header?.format !== FORMAT)
    throw new Error(`openPixelCache: expected a pixel cache in ${file} but it is another file`);
  if (header.version !== VERSION)
    throw new Error(
      `openPixelCache: expected format version ${VERSION} in ${file} but got ${header.version}`,
    );
  const { size } = fstatSync(fd);
  if (size !== fileSize(header))
    throw new Error(
      `openPixelCache: expected ${fileSize(header)} bytes in ${file} but it is cut short at ${size}`,
    );
  return header;
}

function fill(caller: string, fd: number, into: Uint8Array, position: number, file: string): void {
  let done = 0;
  while (done < into.length) {
    const read = readSync(fd, into, done, into.length - done, position + done);
    if (read === 0)
      throw new Error(`${caller}: expected more bytes in ${file} but it is cut short`);
    done += read;
  }
}
