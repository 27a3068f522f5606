import { readdir } from "node:fs/promises";
import { fileError } from "./files.ts";
import type { FolderDescription, ZipDescription } from "./images.ts";
import { entryPlace, withZip, type ZipPlace, zipEntries } from "./zip.ts";

const IMAGE = /^([1-9]\d{0,14})\.jpg$/;

/** The ids of the images in a folder, ascending, by one listing. */
export async function listFolder(
  folder: string,
): Promise<{ ids: number[]; description: FolderDescription }> {
  const ids: number[] = [];
  const names = await readdir(folder).catch((error) => {
    throw fileError("openDataset", `list ${folder}`, error);
  });
  for (const name of names) {
    const match = IMAGE.exec(name);
    if (match) ids.push(Number(match[1]));
  }
  return { ids: ids.sort((a, b) => a - b), description: { kind: "folder", folder } };
}

/** The ids of the images in an archive, ascending; only those in `folders` (any of these names) when given. */
export async function listZip(
  place: ZipPlace,
  folders?: readonly string[],
): Promise<{ ids: number[]; description: ZipDescription }> {
  const found = new Map<number, ReturnType<typeof entryPlace>>();
  let inside = "";
  await withZip(place, async (zip) => {
    for await (const entry of zipEntries(place, zip)) {
      const parts = entry.fileName.split("/");
      const match = IMAGE.exec(parts.pop()!);
      if (!match || (folders && !parts.some((part) => folders.includes(part)))) continue;
      const id = Number(match[1]);
      if (found.has(id))
        throw new Error(
          `openDataset: expected image ${id} once in ${place.label} but it is there twice`,
        );
      found.set(id, entryPlace(place, entry));
      inside = parts.map((part) => `/${part}`).join("");
    }
  });
  const ids = [...found.keys()].sort((a, b) => a - b);
  const entries = ids.map((id) => found.get(id)!);
  return {
    ids,
    description: {
      kind: "zip",
      file: place.file,
      label: place.label + inside,
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
