/**
 * Finds the parts of a data set: training images, labels and test images, each as a folder, as a zip,
 * or in the one zip that Kaggle sends for everything.
 */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type { Entry } from "yauzl";
import { cacheFolder, createAtomic, fileError } from "./files.ts";
import type { ImagesDescription } from "./images.ts";
import { listFolder, listZip } from "./list-images.ts";
import {
  entryStream,
  storedPlace,
  withZip,
  type ZipPlace,
  zipEntries,
  zipFilePlace,
} from "./zip.ts";

const TRAIN = ["images_training_rev1", "images_train_rev1", "images"];
const LABELS = ["training_solutions_rev1", "labels"];
const TEST = ["images_test_rev1", "test"];
const WHOLE = "galaxy-zoo-the-galaxy-challenge.zip";

/** Images that were found. */
export interface LocatedImages {
  ids: number[];
  description: ImagesDescription;
}

/** A labels file that was found. */
interface LocatedLabels {
  /** Its path, for messages. */
  file: string;
  /** Gives its bytes to `use`, as a stream. */
  read<T>(use: (stream: Readable) => Promise<T>): Promise<T>;
}

/** What a path holds. */
export interface Located {
  train: LocatedImages | undefined;
  labels: LocatedLabels | undefined;
  test: LocatedImages | undefined;
}

/** Looks at a folder or a zip. Throws when it holds neither training nor test images. */
export async function locate(path: string): Promise<Located> {
  const info = await stat(path).catch((error) => {
    throw fileError("openDataset", `open ${path}`, error);
  });
  const names = info.isDirectory() ? new Set(await readdir(path)) : new Set<string>();
  const whole = info.isDirectory() ? (names.has(WHOLE) ? join(path, WHOLE) : undefined) : path;
  const archive = whole === undefined ? undefined : await listWhole(whole);

  const images = async (candidates: string[]): Promise<LocatedImages | undefined> => {
    for (const name of candidates) {
      if (names.has(name)) return listFolder(await unfold(join(path, name), name));
      if (names.has(`${name}.zip`)) return listZip(await zipFilePlace(join(path, `${name}.zip`)));
    }
    if (!archive) return undefined;
    const inner = archive.entries.find(({ fileName }) => isNamed(fileName, candidates, ".zip"));
    if (inner) return listZip(await innerPlace(archive.place, inner));
    const found = await listZip(archive.place, candidates);
    return found.ids.length > 0 ? found : undefined;
  };

  const labels = async (): Promise<LocatedLabels | undefined> => {
    for (const name of LABELS) {
      if (names.has(`${name}.csv`)) return csvFile(join(path, `${name}.csv`));
      if (names.has(name)) return csvFile(join(path, name, `${name}.csv`));
      if (names.has(`${name}.zip`)) {
        const place = await zipFilePlace(join(path, `${name}.zip`));
        const entry = await csvEntry(place);
        if (!entry)
          throw new Error(
            `openDataset: expected ${name}.csv in ${place.label} but it is not there`,
          );
        return zippedCsv(place, entry);
      }
    }
    if (!archive) return undefined;
    const inner = archive.entries.find(({ fileName }) => isNamed(fileName, LABELS, ".zip"));
    const place = inner ? await innerPlace(archive.place, inner) : archive.place;
    const entry = await csvEntry(place);
    return entry && zippedCsv(place, entry);
  };

  const located = { train: await images(TRAIN), labels: await labels(), test: await images(TEST) };
  if (!located.train && !located.labels && !located.test)
    throw new Error(nothingFound(path, names));
  return located;
}

function nothingFound(path: string, names: Set<string>): string {
  const shown = [...names].sort().slice(0, 8);
  const holds =
    names.size === 0
      ? "nothing of it"
      : `only ${shown.join(", ")}${names.size > shown.length ? ` and ${names.size - shown.length} more` : ""}`;
  return (
    `openDataset: expected Galaxy Zoo data in ${path} but found ${holds}. ` +
    `Looked for training images (${TRAIN[0]}/, ${TRAIN[1]}/, ${TRAIN[2]}/ or ${TRAIN[0]}.zip), ` +
    `labels (${LABELS[0]}.csv, ${LABELS[0]}.zip or ${LABELS[1]}.csv), ` +
    `test images (${TEST[0]}/, ${TEST[1]}/ or ${TEST[0]}.zip), and ${WHOLE}`
  );
}

/** "Extract all" makes a folder named after the zip, around the folder inside it. */
async function unfold(folder: string, name: string): Promise<string> {
  const inner = join(folder, name);
  return (await stat(inner).catch(() => undefined))?.isDirectory() ? inner : folder;
}

function isNamed(fileName: string, names: readonly string[], extension: string): boolean {
  return names.some((name) => basename(fileName) === name + extension);
}

function csvFile(file: string): LocatedLabels {
  return { file, read: (use) => use(createReadStream(file)) };
}

function zippedCsv(place: ZipPlace, entry: Entry): LocatedLabels {
  return {
    file: `${place.label}/${entry.fileName}`,
    read: (use) => withZip(place, (zip) => use(Readable.from(entryStream(zip, entry)))),
  };
}

async function csvEntry(place: ZipPlace): Promise<Entry | undefined> {
  return withZip(place, async (zip) => {
    for await (const entry of zipEntries(place, zip))
      if (isNamed(entry.fileName, LABELS, ".csv") && !entry.fileName.includes("__MACOSX"))
        return entry;
    return undefined;
  });
}

async function listWhole(file: string): Promise<{ place: ZipPlace; entries: Entry[] }> {
  const place = await zipFilePlace(file);
  return withZip(place, async (zip) => {
    const entries: Entry[] = [];
    for await (const entry of zipEntries(place, zip))
      if (entry.fileName.endsWith(".zip")) entries.push(entry);
    return { place, entries };
  });
}

/** A zip inside the zip: read where it lies if it is stored, else inflated once into the cache folder. */
async function innerPlace(outer: ZipPlace, entry: Entry): Promise<ZipPlace> {
  return withZip(outer, async (zip) => {
    const stored = await storedPlace(outer, zip, entry);
    if (stored) return stored;
    // Named after its content: any copy of the same download finds it, and another content never does.
    const name = `${basename(entry.fileName, ".zip")}-${entry.crc32.toString(16).padStart(8, "0")}-${entry.uncompressedSize}.zip`;
    const file = join(cacheFolder(), "zips", name);
    const place = {
      file,
      label: `${outer.label}/${entry.fileName}`,
      start: 0,
      size: entry.uncompressedSize,
    };
    if ((await stat(file).catch(() => undefined))?.size === entry.uncompressedSize) return place;
    const target = await createAtomic("openDataset", file, entry.uncompressedSize);
    try {
      for await (const chunk of entryStream(zip, entry)) await target.handle.writeFile(chunk);
      await target.commit();
    } catch (error) {
      throw fileError("openDataset", `unpack ${place.label} to ${file}`, error);
    } finally {
      await target.discard();
    }
    return place;
  });
}
