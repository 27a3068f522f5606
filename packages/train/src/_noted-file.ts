import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { readWhole } from "./_read-whole.ts";
import { type FileDigest, parseSafetensors } from "./safetensors.ts";
import type { SavedState } from "./state.ts";

/** What to do about a damaged checkpoint. */
export const howToGoOn = (folder: string): string =>
  `; remove ${folder} to go on from an earlier checkpoint`;

/** Reads a file of a checkpoint, whose size and hash its meta.json has noted; throws where they differ. */
export async function readNotedFile(path: string, noted: FileDigest): Promise<SavedState> {
  const file = await readWhole(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(
      `loadCheckpoint: expected the file ${path} but it is missing${howToGoOn(dirname(path))}`,
      { cause: error },
    );
  });
  if (file.length !== noted.bytes)
    throw new Error(
      `loadCheckpoint: expected ${noted.bytes} bytes in ${path} but got ${file.length}: ${file.length < noted.bytes ? "it is cut short" : "it was changed"}${howToGoOn(dirname(path))}`,
    );
  const sha256 = createHash("sha256").update(file).digest("hex");
  if (sha256 !== noted.sha256)
    throw new Error(
      `loadCheckpoint: expected SHA-256 ${noted.sha256} of ${path} but got ${sha256}: it is damaged${howToGoOn(dirname(path))}`,
    );
  return parseSafetensors("loadCheckpoint", path, file).tensors;
}
