import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataset, writeSynthetic } from "@gz/galaxies";

/** Calls `work` with a data set of synthetic galaxies and its folder, which is gone afterwards. */
export async function withGalaxies(count, work) {
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  try {
    await writeSynthetic(folder, { train: count, test: 1, seed: 1 });
    const dataset = await openDataset(folder);
    await work(dataset, folder);
    await dataset.close();
  } finally {
    await rm(folder, { recursive: true });
  }
}
