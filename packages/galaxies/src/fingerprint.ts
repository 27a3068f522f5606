import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { concurrently } from "./concurrently.ts";
import { type Dataset, idsOf, type Split } from "./dataset.ts";

/**
 * A hash of what the images of a split are: the data set's path and fit, the ids, and sizes and times of the files that
 * hold them. For caches of whatever is computed from the images. Throws for a split without images.
 */
export async function imagesFingerprint(dataset: Dataset, split: Split): Promise<string> {
  const ids = idsOf("imagesFingerprint", dataset, split);
  const { [split]: source, fit } = dataset.describe();
  const files = source?.kind === "zip" ? [source.file] : ids.map((id) => dataset.file(id, split));
  const facts = new Float64Array(2 * files.length);
  await concurrently(files.length, { limit: 32 }, async (i) => {
    // A missing file has no facts; reading it later says what is wrong.
    const info = await stat(files[i]!).catch(() => undefined);
    facts[2 * i] = info?.size ?? -1;
    facts[2 * i + 1] = info?.mtimeMs ?? -1;
  });
  return createHash("sha256")
    .update(JSON.stringify([dataset.path, split, source?.kind, ...(fit === "exact" ? [] : [fit])]))
    .update(Float64Array.from(ids))
    .update(facts)
    .digest("hex");
}
