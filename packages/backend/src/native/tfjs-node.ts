import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Manifest } from "./manifest.ts";

export const TFJS_NODE = "@tensorflow/tfjs-node-gpu";

/** The npm package whose addon is built: its folder, found from `cwd` and then from this package. */
export function findTfjsNode(cwd: string = process.cwd()): string | undefined {
  for (const from of [join(cwd, "package.json"), import.meta.url]) {
    try {
      return dirname(createRequire(from).resolve(`${TFJS_NODE}/package.json`));
    } catch {
      // not there: look from the next place
    }
  }
  return undefined;
}

/** Where tfjs-node looks for its addon, and the manifest beside it. */
export function addonFiles(packageFolder: string): { addon: string; manifest: string } {
  const folder = join(packageFolder, "lib", "napi-v8");
  return { addon: join(folder, "tfjs_binding.node"), manifest: join(folder, "gz-native.json") };
}

/** The manifest of the addon installed in `packageFolder`, or undefined if we built none. */
export function readManifest(packageFolder: string): Manifest | undefined {
  const { addon, manifest } = addonFiles(packageFolder);
  if (!existsSync(addon) || !existsSync(manifest)) return undefined;
  try {
    const read = JSON.parse(readFileSync(manifest, "utf8")) as Manifest;
    return read.format === 1 ? read : undefined;
  } catch {
    return undefined;
  }
}
