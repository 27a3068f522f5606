import { readdir } from "node:fs/promises";
import { reason } from "./files.ts";
import type { FolderDescription, ZipDescription } from "./images.ts";
import { FaultyFile, type Report } from "./table.ts";
import { entryPlace, withZip, type ZipPlace, zipEntries } from "./zip.ts";

const IMAGE = /^(0|[1-9]\d{0,14})\.jpg$/;
// A copy that macOS hides beside an image (._7.jpg) is none.
const LIKE_AN_IMAGE = /^[^.].*\.(jpe?g|png|gif|tiff?|webp|bmp)$/i;

/** The ids of the images in a folder, ascending, by one listing; reports images whose name is no id. */
export async function listFolder(
  folder: string,
  report: Report,
): Promise<{ ids: number[]; description: FolderDescription }> {
  const ids: number[] = [];
  const names = await readdir(folder).catch((error) => {
    throw new FaultyFile(folder, `expected a folder to list but ${reason(error)}`, error);
  });
  for (const name of names) {
    const id = idOf(name, `${folder}/${name}`, report);
    if (id !== undefined) ids.push(id);
  }
  return { ids: ids.sort((a, b) => a - b), description: { kind: "folder", folder } };
}

/** The same of an archive; only of its images in `folders` (any of these names) when given. */
export async function listZip(
  place: ZipPlace,
  report: Report,
  folders?: readonly string[],
): Promise<{ ids: number[]; description: ZipDescription }> {
  const found = new Map<number, ReturnType<typeof entryPlace>>();
  const insides = new Set<string>();
  await withZip(place, async (zip) => {
    for await (const entry of zipEntries(place, zip)) {
      const parts = entry.fileName.split("/");
      const name = parts.pop()!;
      if (folders && !parts.some((part) => folders.includes(part))) continue;
      const file = `${place.label}/${entry.fileName}`;
      const id = idOf(name, file, report);
      if (id === undefined) continue;
      if (found.has(id)) {
        report({ file, id, message: `expected image ${id} once but it is there twice` });
        continue;
      }
      found.set(id, entryPlace(place, entry));
      insides.add(parts.map((part) => `/${part}`).join(""));
    }
  });
  const ids = [...found.keys()].sort((a, b) => a - b);
  const entries = ids.map((id) => found.get(id)!);
  return {
    ids,
    description: {
      kind: "zip",
      file: place.file,
      // Images of several folders are told apart by their ids alone.
      label: place.label + (insides.size === 1 ? [...insides][0] : ""),
      start: place.start,
      ids: Float64Array.from(ids),
      offsets: Float64Array.from(entries, (entry) => entry.offset),
      compressed: Uint32Array.from(entries, (entry) => entry.compressed),
      sizes: Uint32Array.from(entries, (entry) => entry.size),
      methods: Uint8Array.from(entries, (entry) => entry.method),
      crcs: Uint32Array.from(entries, (entry) => entry.crc),
    },
  };
}

/** The id that is an image's name; undefined for other files, of which those that look like images are reported. */
function idOf(name: string, file: string, report: Report): number | undefined {
  const match = IMAGE.exec(name);
  if (match) return Number(match[1]);
  if (LIKE_AN_IMAGE.test(name))
    report({
      file,
      message: "expected a name like 100008.jpg, of a GalaxyID of at most 15 digits",
    });
  return undefined;
}
