/** `prepare --full`: images at full size are decoded once, and recipes that read them so find them. */
import { rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { openDataset, writeSynthetic } from "@gz/galaxies";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { inputLength, writeInput } from "../src/images/input.ts";
import { pixelSource } from "../src/images/pixel-source.ts";
import { openPixels } from "../src/images/pixels.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const best = loadRecipe("best");
const root = temporaryFolder();
const data = join(root, "galaxies");
const env = { GZ_CACHE_DIR: join(root, "cache") };

beforeAll(() => writeSynthetic(data, { train: 5, test: 2, seed: 3 }));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(root, { recursive: true }));

/** What `best` reads of an image of the training part, and whence. */
async function views(row: number) {
  vi.stubEnv("GZ_CACHE_DIR", env.GZ_CACHE_DIR);
  const dataset = await openDataset(data);
  const source = await pixelSource(dataset, "train", best.input);
  const pixels = await openPixels(source);
  const out = new Float32Array(inputLength(best));
  writeInput(best, await pixels.read(row), out);
  await dataset.close();
  return { kind: source.kind, out };
}

test("training reads the pixels that it would have decoded, as long as the images are the same", async () => {
  const decoded = await views(3);
  expect(decoded.kind).toBe("images");

  const few = await kaggle(["prepare", "--data", data, "--recipe", "best"], env);
  expect(few).toMatchObject({ code: 0 });
  expect(few.stderr).not.toContain("full size");
  expect((await views(3)).kind).toBe("images");

  const full = await kaggle(["prepare", "--data", data, "--recipe", "best", "--full"], env);
  expect(full, full.stderr).toMatchObject({ code: 0 });
  expect(full.stderr).toContain("train: 5 images at full size take 3 MB");
  expect(full.stderr).toContain("test: 2 images at full size take 1 MB");
  expect(full.stdout.match(/-424x424-\w+\.pixels$/gm)).toHaveLength(2);
  expect(await views(3)).toEqual({ kind: "cache", out: decoded.out });

  const dataset = await openDataset(data);
  utimesSync(dataset.file(dataset.trainIds[0]!, "train"), 1e9, 1e9);
  await dataset.close();
  expect((await views(3)).kind).toBe("images");
});
