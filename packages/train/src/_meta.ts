import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { show } from "./_check.ts";
import { howToGoOn } from "./_noted-file.ts";
import type { FileDigest } from "./safetensors.ts";

/** Of a checkpoint's folder; another one is refused. */
export const FORMAT_VERSION = 1;

/** A checkpoint's meta.json. */
export interface Meta {
  formatVersion: number;
  step: number;
  best: boolean;
  optimizer?: string;
  files: Record<string, FileDigest>;
  meta: unknown;
}

/** The meta.json of the checkpoint at `path`; throws where it is missing, damaged or of another version. */
export async function readMeta(path: string): Promise<Meta> {
  const file = join(path, "meta.json");
  const text = await readFile(file, "utf8").catch((error) => {
    throw new Error(`loadCheckpoint: expected a checkpoint in ${path} but ${file} cannot be read`, {
      cause: error,
    });
  });
  let meta: Meta;
  try {
    meta = JSON.parse(text);
  } catch (error) {
    throw new Error(
      `loadCheckpoint: expected JSON in ${file} but it is cut short or damaged${howToGoOn(path)}`,
      {
        cause: error,
      },
    );
  }
  if (meta.formatVersion !== FORMAT_VERSION)
    throw new Error(
      `loadCheckpoint: expected format version ${FORMAT_VERSION} in ${file} but got ${show(meta.formatVersion)}: it was written by another version of @gz/train`,
    );
  return meta;
}
