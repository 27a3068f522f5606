import { findTfjsNode, readManifest } from "../src/native/tfjs-node.ts";

const folder = findTfjsNode();

/** Whether the native TensorFlow is built; CI must have it, elsewhere the tests that need it are skipped with one line. */
export const hasNative: boolean =
  process.env.CI === "true" || (folder !== undefined && readManifest(folder) !== undefined);

if (!hasNative)
  console.log("skipped: the native TensorFlow is not built; get it with: npm run native");
