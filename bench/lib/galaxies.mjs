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

/** Calls `work` with the real galaxies of the folder GALAXY_ZOO_DIR; where it is not set, with some synthetic ones. */
export async function withRealGalaxies(count, work) {
  const folder = process.env.GALAXY_ZOO_DIR;
  if (!folder) return withGalaxies(count, work);
  const dataset = await openDataset(folder);
  await work(dataset, folder);
  await dataset.close();
}
