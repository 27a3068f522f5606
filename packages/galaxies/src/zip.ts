/**
 * Zip archives read in place: an archive is a byte range of a file, so that a stored zip inside a zip is one too.
 * yauzl reads the directory; images are then read by one positioned read each, in any order and number at a time.
 */
import { close, open, stat } from "node:fs";
import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import yauzl from "yauzl";
import { reason } from "./files.ts";
import { FaultyFile } from "./table.ts";
import { RangeReader, readUpTo } from "./zip-range.ts";

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(stat);
const inflate = promisify(inflateRaw) as (data: Buffer, options: object) => Promise<Buffer>;

/** Where the bytes of an archive lie. */
export interface ZipPlace {
  file: string;
  /** For messages: the path, with the inner archive's name behind the outer's. */
  label: string;
  start: number;
  size: number;
}

/** What is needed to read one entry at random. */
export interface EntryPlace {
  /** Of the local header, within the archive. */
  offset: number;
  compressed: number;
  size: number;
  method: number;
  crc: number;
}

const STORED = 0;
const DEFLATED = 8;
const LOCAL_HEADER = 30;

/** The place of an archive that is a file of its own. */
export async function zipFilePlace(file: string): Promise<ZipPlace> {
  const { size } = await statFile(file).catch(unreadable(file));
  return { file, label: file, start: 0, size };
}

/** Opens an archive for the time of `use`; throws a FaultyFile where it is none. */
export async function withZip<T>(place: ZipPlace, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  const fd = await openFile(place.file, "r").catch(unreadable(place.label));
  try {
    const reader = new RangeReader(fd, place.start, place.size);
    const zip = await yauzl
      .fromRandomAccessReaderPromise(reader, place.size, { autoClose: false })
      .catch((error) => {
        const message = `expected a zip archive but it is damaged or cut short (${error.message})`;
        throw new FaultyFile(place.label, message, error);
      });
    return await use(zip);
  } finally {
    await closeFile(fd);
  }
}

function unreadable(file: string): (error: unknown) => never {
  return (error) => {
    throw new FaultyFile(file, `expected a file to read but ${reason(error)}`, error);
  };
}

/** The entries of an archive that are files, from its directory. */
export async function* zipEntries(place: ZipPlace, zip: ZipFile): AsyncGenerator<Entry> {
  try {
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith("/")) yield entry;
  } catch (error) {
    const message = `expected a zip archive but its directory is damaged (${(error as Error).message})`;
    throw new FaultyFile(place.label, message, error);
  }
}

/** Where an entry lies; refuses what cannot be read (encryption, rare compressions). */
export function entryPlace(place: ZipPlace, entry: Entry): EntryPlace {
  if (!entry.canDecodeFileData())
    throw new FaultyFile(
      `${place.label}/${entry.fileName}`,
      `expected an entry that is stored or deflated but ${
        entry.isEncrypted()
          ? "it is encrypted"
          : `got compression method ${entry.compressionMethod}`
      }`,
    );
  return {
    offset: entry.relativeOffsetOfLocalHeader,
    compressed: entry.compressedSize,
    size: entry.uncompressedSize,
    method: entry.compressionMethod,
    crc: entry.crc32,
  };
}

/** The bytes of an entry as a stream that fails at its end when the checksum does not hold. */
export async function* entryStream(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  let crc = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (crc !== entry.crc32) throw new Error("its checksum does not hold");
}

/**
 * The place of a stored entry's bytes: an archive in the archive can be read where it lies.
 * Undefined for a deflated one, which cannot be read at random.
 */
export async function storedPlace(
  place: ZipPlace,
  zip: ZipFile,
  entry: Entry,
): Promise<ZipPlace | undefined> {
  if (entryPlace(place, entry).method !== STORED) return undefined;
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  return {
    file: place.file,
    label: `${place.label}/${entry.fileName}`,
    start: place.start + fileDataStart,
    size: entry.uncompressedSize,
  };
}

/**
 * Reads one entry of the archive that starts at byte `start` of an open file.
 * The local header is parsed here, not by yauzl, so that header and data come with one read, and so that a worker
 * thread can read by a handful of numbers without the archive's directory.
 */
export async function readEntry(fd: number, start: number, entry: EntryPlace): Promise<Buffer> {
  const { offset, compressed, size, method, crc } = entry;
  const guess = LOCAL_HEADER + 256 + compressed;
  let bytes = await readUpTo(fd, start + offset, guess);
  if (bytes.length < LOCAL_HEADER || bytes.readUInt32LE(0) !== 0x04034b50)
    throw new Error("the zip archive is damaged or cut short here");
  const data = LOCAL_HEADER + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  if (bytes.length < data + compressed)
    bytes = await readUpTo(fd, start + offset, data + compressed);
  if (bytes.length < data + compressed) throw new Error("the zip archive is cut short here");
  const raw = bytes.subarray(data, data + compressed);
  if (method !== DEFLATED) return checked(raw, size, crc);
  const content = await inflate(raw, { maxOutputLength: Math.max(size, 1) }).catch((error) => {
    throw new Error(`its data in the zip archive are damaged (${error.message})`, { cause: error });
  });
  return checked(content, size, crc);
}

function checked(content: Buffer, size: number, crc: number): Buffer {
  if (content.length !== size || crc32(content) !== crc)
    throw new Error("its data in the zip archive are damaged (the checksum does not hold)");
  return content;
}
