import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Manifest } from "./manifest.ts";

/** The npm package whose addon is built. */
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

/** File name of the addon in its folder. */
export const ADDON = "tfjs_binding.node";
/** Beside it, the addon that keeps its loading quiet. */
export const QUIET = "gz_quiet.node";
/** Beside it, what it was built from. */
export const MANIFEST = "gz-native.json";

/** Where tfjs-node looks for its addon; N-API 8 whatever the Node. */
export function addonFolder(packageFolder: string): string {
  return join(packageFolder, "lib", "napi-v8");
}

/** The manifest of the addon installed in `packageFolder`, or undefined if we built none. */
export function readManifest(packageFolder: string): Manifest | undefined {
  try {
    const text = readFileSync(join(addonFolder(packageFolder), MANIFEST), "utf8");
    const manifest = JSON.parse(text) as Manifest;
    return manifest.format === 2 ? manifest : undefined;
  } catch {
    return undefined;
  }
}
