import { close, open } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileError } from "./files.ts";
import { readEntry } from "./zip.ts";

const openFile = promisify(open);
const closeFile = promisify(close);

/** Images in a folder, ID.jpg each. */
export interface FolderDescription {
  kind: "folder";
  folder: string;
}

/** Images in a zip archive: where each one lies, so that nobody reads the directory twice. */
export interface ZipDescription {
  kind: "zip";
  file: string;
  /** For messages: archive and folder inside it. */
  label: string;
  start: number;
  ids: Float64Array;
  offsets: Float64Array;
  compressed: Uint32Array;
  sizes: Uint32Array;
  methods: Uint8Array;
  crcs: Uint32Array;
}

/** Plain data that opens a set of images again, in another thread too. */
export type ImagesDescription = FolderDescription | ZipDescription;

/** A set of images by id. */
export interface Images {
  read(id: number): Promise<Buffer>;
  /** The image's file name, or its name inside an archive, for messages. */
  file(id: number): string;
  close(): Promise<void>;
}

/** Opens described images for reading; nothing is listed again. */
export async function openImages(description: ImagesDescription): Promise<Images> {
  return description.kind === "folder" ? folderImages(description) : zipImages(description);
}

function folderImages({ folder }: FolderDescription): Images {
  const file = (id: number): string => join(folder, `${id}.jpg`);
  return { read: (id) => readFile(file(id)), file, close: async () => {} };
}

async function zipImages(zip: ZipDescription): Promise<Images> {
  const fd = await openFile(zip.file, "r").catch((error) => {
    throw fileError("openDataset", `open ${zip.file}`, error);
  });
  const index = new Map<number, number>();
  zip.ids.forEach((id, i) => void index.set(id, i));
  const running = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async read(id) {
      const i = index.get(id);
      if (i === undefined) throw new Error("no such image in the archive");
      if (closed) throw new Error("the data set is closed");
      const reading = readEntry(fd, zip.start, {
        offset: zip.offsets[i]!,
        compressed: zip.compressed[i]!,
        size: zip.sizes[i]!,
        method: zip.methods[i]!,
        crc: zip.crcs[i]!,
      });
      running.add(reading);
      return reading.finally(() => running.delete(reading));
    },
    file: (id) => `${zip.label}/${id}.jpg`,
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(running); // the descriptor's number may be given to another file once it is closed
      await closeFile(fd);
    },
  };
}
