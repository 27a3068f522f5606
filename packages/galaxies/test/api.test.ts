import * as fs from "node:fs/promises";
import * as path from "node:path";
import { join } from "node:path";
import * as augment from "@gz/augment";
import * as galaxies from "@gz/galaxies";
import { expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";
import { temporaryFolder } from "./helpers.ts";

test("exports these functions and no others", () => {
  expect(Object.keys(galaxies).sort()).toEqual([
    "COLUMNS",
    "KAGGLE_TREE",
    "PROPER_TREE",
    "buildPixelCache",
    "cacheFolder",
    "castVotes",
    "centreDraw",
    "checkDataset",
    "checkSubmission",
    "chooseGalaxy",
    "columnsOf",
    "decode",
    "detectSources",
    "findPixelCache",
    "galaxyVotes",
    "imagesFingerprint",
    "openDataset",
    "openPixelCache",
    "openPredictions",
    "pixelCacheSize",
    "readPredictions",
    "renderGalaxy",
    "sampleGalaxy",
    "shrink",
    "writePredictions",
    "writeSynthetic",
  ]);
});

const README = new URL("../README.md", import.meta.url);
const modules = { "@gz/augment": augment, "@gz/galaxies": galaxies };

test("the README's example runs as pasted and prints what it promises", async () => {
  const parent = await temporaryFolder();
  const lines = await runExample(await readmeExample(README), {
    ...modules,
    "node:fs/promises": fs,
    "node:os": { tmpdir: () => parent },
    "node:path": path,
  });
  expect(lines.slice(0, 2)).toEqual([
    "galaxy 100000: 424 x 424 x 3",
    "Is the galaxy simply smooth and rounded, with no sign of a disk?",
  ]);
  const shares = lines.slice(2).map((line) => line.split(": "));
  expect(shares.map(([words]) => words)).toEqual([
    "smooth",
    "features or disk",
    "star or artifact",
  ]);
  expect(shares.reduce((sum, [, share]) => sum + Number(share), 0)).toBeCloseTo(1, 1);
  const folder = join(parent, (await fs.readdir(parent))[0]!);
  const data = await galaxies.openDataset(folder);
  await galaxies.checkSubmission(join(folder, "submission.csv"), data.testIds);
  const { values } = await galaxies.readPredictions(join(folder, "submission.csv"));
  const first = [0, 1, 2].map((i) => data.labels![37 * i]!);
  expect(values[0]).toBeCloseTo((first[0]! + first[1]! + first[2]!) / 3, 6);
});

/** Runs the README's block that has `words` in it, and then `more`; what that prints. */
async function runBlock(words: string, more: string): Promise<string[]> {
  const blocks = (await fs.readFile(README, "utf8")).matchAll(/^```js\n(.*?)^```$/gms);
  const block = [...blocks].map(([, code]) => code!).find((code) => code.includes(words));
  return runExample(`${block}\n${more}`, modules);
}

test("the README's photometry runs as pasted and brings the galaxy to the middle", async () => {
  const [shape, x, y] = await runBlock(
    "centreDraw(",
    `console.log(centred.shape.join(" x "));
     const after = chooseGalaxy(detectSources(centred.pick(null, null, 1), { threshold: 2 }), size);
     for (const place of [after.x, after.y]) console.log(place);`,
  );
  expect(shape).toBe("424 x 424 x 3");
  expect(Math.abs(Number(x) - 211.5)).toBeLessThan(1);
  expect(Math.abs(Number(y) - 211.5)).toBeLessThan(1);
});

test("the README's synthetic galaxy runs as pasted: a picture and 37 fractions", async () => {
  const [shape, votes] = await runBlock(
    "galaxyVotes(",
    `console.log(image.shape.join(" x "));
     console.log(votes.length, votes.every((vote) => vote >= 0 && vote <= 1));`,
  );
  expect(shape).toBe("424 x 424 x 3");
  expect(votes).toBe("37 true");
});

const real = process.env.GALAXY_ZOO_DIR;
const withReal = test.skipIf(!real);
if (!real) console.log("real galaxies: skipped; set GALAXY_ZOO_DIR to a folder of Galaxy Zoo data");

withReal("real data: opens, and the mean label scores what it should", async () => {
  const data = await galaxies.openDataset(real!);
  const { trainIds, testIds } = data;
  const labels = data.labels!;
  expect(labels.length).toBe(37 * trainIds.length);
  expect(trainIds[0]).toBe(100008);
  const mean = new Float64Array(37);
  labels.forEach((value, i) => void (mean[i % 37]! += value / trainIds.length));
  let sum = 0;
  labels.forEach((value, i) => void (sum += (value - mean[i % 37]!) ** 2));
  const rmse = Math.sqrt(sum / labels.length);
  expect(rmse).toBeGreaterThan(0.15);
  expect(rmse).toBeLessThan(0.18);
  expect(new Set([...trainIds, ...testIds]).size).toBe(trainIds.length + testIds.length);
  if (trainIds.length !== 4000) return; // the whole download
  expect(testIds).toHaveLength(1197);
  expect(rmse).toBeCloseTo(0.1677, 4);
});

withReal("real data: nothing is wrong, images decode, shrink and are cached", async () => {
  expect(await galaxies.checkDataset(real!)).toEqual([]);
  const data = await galaxies.openDataset(real!);
  // The first 20 galaxies as a data set of their own.
  const description = data.describe();
  const few = await galaxies.openDataset({
    ...description,
    trainIds: description.trainIds.slice(0, 20),
    labelRows: description.labelRows.slice(0, 20),
  });
  const dir = await temporaryFolder();
  const built = await galaxies.buildPixelCache(few, "train", { shrink: 2, dir });
  expect(built).toMatchObject({ count: 20, height: 212, width: 212, built: true });
  const cache = galaxies.openPixelCache(built.file);
  const bytes = await data.read(few.trainIds[7]!, "train");
  const image = galaxies.shrink(await galaxies.decode(bytes), 2);
  expect(cache.read(7).data).toEqual(image.data);
  cache.close();
  // A galaxy in the middle of a dark sky.
  expect(image.get(106, 106, 1)).toBeGreaterThan(3 * image.get(3, 3, 1));
});

withReal(
  "real data: the first galaxy is where the winner's SExtractor found it, and as large",
  async () => {
    const data = await galaxies.openDataset(real!);
    const image = await galaxies.decode(await data.read(100008, "train"));
    const size = { width: 424, height: 424 };
    for (const threshold of [2, 10]) {
      const sources = galaxies.detectSources(image.pick(null, null, 1), { threshold });
      const { x, y, a, petrosian } = galaxies.chooseGalaxy(sources, size)!;
      // He counted from 1, and read the image transposed. At 10 sigma the galaxy is smaller, its radius in a larger.
      expect(Math.hypot(x + 1 - 211.927, y + 1 - 215.121)).toBeLessThan(threshold === 2 ? 0.05 : 1);
      if (threshold === 2) expect([a, petrosian]).toBeAllClose([30.689, 5.28], { rtol: 1e-3 });
    }
  },
);
