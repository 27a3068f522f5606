/**
 * Finds the parts of a data set: training images, labels and test images, each as a folder, as a zip,
 * or in the one zip that Kaggle sends for everything.
 */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type { Entry } from "yauzl";
import { cacheFolder, createAtomic, fileError, reason } from "./files.ts";
import type { ImagesDescription } from "./images.ts";
import { listFolder, listZip } from "./list-images.ts";
import { LABELS, TEST, TRAIN, WHOLE } from "./part-names.ts";
import { FaultyFile, type Report, reportFaults } from "./table.ts";
import {
  entryStream,
  storedPlace,
  withZip,
  type ZipPlace,
  zipEntries,
  zipFilePlace,
} from "./zip.ts";

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
  /** Whether something is there that cannot be used, which was reported: a part that is missing may be in it. */
  faulty: boolean;
}

/**
 * Looks at a folder or a zip, reporting files that cannot be used.
 * Throws, in the name of `caller`, when there is nothing of a data set.
 */
export async function locate(path: string, caller: string, report: Report): Promise<Located> {
  const cannotOpen = (error: unknown): never => {
    throw fileError(caller, `open ${path}`, error);
  };
  const info = await stat(path).catch(cannotOpen);
  const names = new Set(info.isDirectory() ? await readdir(path).catch(cannotOpen) : []);
  const whole = info.isDirectory() ? (names.has(WHOLE) ? join(path, WHOLE) : undefined) : path;

  let faulty = false;
  const attempt = <T>(find: () => Promise<T>): Promise<T | undefined> =>
    reportFaults((problem) => {
      faulty = true;
      report(problem);
    }, find);
  // Looked at once, and only when a part lies nowhere else: a broken one disturbs nobody who has unpacked it.
  let listing: Promise<Whole | undefined> | undefined;
  const listOnce = async (): Promise<Whole | undefined> =>
    whole === undefined ? undefined : (listing ??= attempt(() => listWhole(whole)));

  const images = async (candidates: readonly string[]): Promise<LocatedImages | undefined> => {
    for (const name of candidates) {
      if (names.has(name)) return listFolder(await unfold(join(path, name), name), report);
      if (names.has(`${name}.zip`))
        return listZip(await zipFilePlace(join(path, `${name}.zip`)), report);
    }
    const archive = await listOnce();
    if (!archive) return undefined;
    const inner = archive.entries.find(({ fileName }) => isNamed(fileName, candidates, ".zip"));
    if (inner) return listZip(await innerPlace(archive.place, inner, caller), report);
    const found = await listZip(archive.place, report, candidates);
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
          throw new FaultyFile(place.label, `expected ${name}.csv in it but it is not there`);
        return zippedCsv(place, entry);
      }
    }
    const archive = await listOnce();
    if (!archive) return undefined;
    const inner = archive.entries.find(({ fileName }) => isNamed(fileName, LABELS, ".zip"));
    const place = inner ? await innerPlace(archive.place, inner, caller) : archive.place;
    const entry = await csvEntry(place);
    return entry && zippedCsv(place, entry);
  };

  const train = await attempt(() => images(TRAIN));
  const located = { train, labels: await attempt(labels), test: await attempt(() => images(TEST)) };
  if (!train && !located.labels && !located.test && !faulty)
    throw new Error(`${caller}: ${nothingFound(path, names)}`);
  return { ...located, faulty };
}

function nothingFound(path: string, names: Set<string>): string {
  const shown = [...names].sort().slice(0, 8);
  const holds =
    names.size === 0
      ? "nothing of it"
      : `only ${shown.join(", ")}${names.size > shown.length ? ` and ${names.size - shown.length} more` : ""}`;
  return (
    `expected Galaxy Zoo data in ${path} but found ${holds}. ` +
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

/** The one zip, and the zips in it. */
interface Whole {
  place: ZipPlace;
  entries: Entry[];
}

async function listWhole(file: string): Promise<Whole> {
  const place = await zipFilePlace(file);
  return withZip(place, async (zip) => {
    const entries: Entry[] = [];
    for await (const entry of zipEntries(place, zip))
      if (entry.fileName.endsWith(".zip")) entries.push(entry);
    return { place, entries };
  });
}

/** A zip inside the zip: read where it lies if it is stored, else inflated once into the cache folder. */
async function innerPlace(outer: ZipPlace, entry: Entry, caller: string): Promise<ZipPlace> {
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
    const target = await createAtomic(caller, file, entry.uncompressedSize);
    try {
      for await (const chunk of entryStream(zip, entry)) await target.handle.writeFile(chunk);
      await target.commit();
    } catch (error) {
      const message = `expected to unpack it to ${file} but ${reason(error)}`;
      throw new FaultyFile(place.label, message, error);
    } finally {
      await target.discard();
    }
    return place;
  });
}
