/** Photometry of a data set: measured once on worker threads, kept, gone on with, and used in training. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  chooseGalaxy,
  type Dataset,
  decode,
  detectSources,
  openDataset,
  writeSynthetic,
} from "@gz/galaxies";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPixels } from "../src/images/pixels.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const IMAGES = 40;
/** Its image is black. */
const EMPTY = 5;
const root = temporaryFolder();
const data = join(root, "galaxies");
const cache = join(root, "cache");
let dataset: Dataset;

/** galaxyCentres in a process of its own: the threads that it starts run the built files. */
async function measure(
  threshold: number,
  { abort = false } = {},
): Promise<{ values: (number | null)[]; file: string; missing: number; error: string }> {
  const script = `
    import { openDataset } from "@gz/galaxies";
    import { galaxyCentres } from ${JSON.stringify(new URL("../dist/images/centres.js", import.meta.url))};
    const dataset = await openDataset(${JSON.stringify(data)});
    const signal = ${abort} ? AbortSignal.abort(new Error("enough")) : undefined;
    const result = await galaxyCentres(dataset, "train", { threshold: ${threshold}, signal }).then(
      ({ values, ...rest }) => ({ ...rest, values: [...values] }),
      (error) => ({ error: error.message }),
    );
    console.log(JSON.stringify(result));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { env: { ...process.env, GZ_CACHE_DIR: cache, NODE_OPTIONS: "" }, cwd: import.meta.dirname },
  );
  return JSON.parse(stdout);
}

beforeAll(async () => {
  await writeSynthetic(data, { train: IMAGES, test: 0, seed: 11 });
  dataset = await openDataset(data);
  const black = sharp({ create: { width: 424, height: 424, channels: 3, background: "black" } });
  const file = dataset.file(dataset.trainIds[EMPTY]!, "train");
  await black.jpeg().toFile(file);
});

afterAll(async () => {
  await dataset.close();
  rmSync(root, { recursive: true });
});

test("measures every image once, in the order of the ids, and keeps it", async () => {
  const first = await measure(10);
  expect(first.missing).toBe(1);
  const centres = Float32Array.from(first.values, (value) => value ?? Number.NaN);
  for (const i of [0, 17, IMAGES - 1]) {
    const image = await decode(await dataset.read(dataset.trainIds[i]!, "train"));
    const sources = detectSources(image.pick(null, null, 1), { threshold: 10 });
    const { x, y, a, petrosian } = chooseGalaxy(sources, { width: 424, height: 424 })!;
    expect(centres.slice(4 * i, 4 * i + 4)).toEqual(Float32Array.of(x, y, a, petrosian));
  }
  const rows = readFileSync(first.file, "utf8").trim().split("\n");
  expect(rows).toHaveLength(1 + IMAGES);
  expect(rows[0]).toBe("GalaxyID,x,y,a,petrosian");
  expect(rows[1 + EMPTY]).toBe(`${dataset.trainIds[EMPTY]},,,,`);
  expect(await measure(10)).toEqual(first);

  const source = { kind: "images", dataset: dataset.describe(), split: "train", centres } as const;
  const pixels = await openPixels(source);
  const [x, y, a, petrosian] = centres.slice(4 * 17);
  expect(pixels.centre(17)).toEqual({ x, y, a, petrosian });
  expect(pixels.centre(EMPTY)).toBeUndefined();
});

test("an interrupted measurement keeps what is done and goes on from there", async () => {
  expect(await measure(3, { abort: true })).toEqual({ error: "enough" });
  const name = readdirSync(join(cache, "pixels")).find((file) => file.includes("-photometry-3-"))!;
  const file = join(cache, "pixels", name);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect(lines).toHaveLength(1 + 16); // the batch that was at hand
  // What is there is not measured again.
  lines[1] = `${dataset.trainIds[0]},1,2,3,4`;
  writeFileSync(file, `${lines.join("\n")}\n`);
  const { values, missing } = await measure(3);
  expect(values.slice(0, 4)).toEqual([1, 2, 3, 4]);
  expect(values[4]).toBeCloseTo(Number(lines[2]!.split(",")[1]), 4);
  expect(values[4 * (IMAGES - 1)]).toBeGreaterThan(150);
  expect(missing).toBe(1);
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(1 + IMAGES);
});

test("other images, and rows that are not of these images, are noticed", async () => {
  const { file, values } = await measure(10);
  writeFileSync(file, readFileSync(file, "utf8").replace(String(dataset.trainIds[3]), "7"));
  expect((await measure(10)).values).toEqual(values);
  utimesSync(dataset.file(dataset.trainIds[2]!, "train"), 1, 1);
  const other = await measure(10);
  expect(other.file).not.toBe(file);
  expect(other.values).toEqual(values);
});

test("a recipe that centres its galaxies is prepared, trains and predicts", async () => {
  const recipe = join(root, "centred.json");
  const centre = { threshold: 10, radius: 160, limit: 1.5 };
  writeFileSync(recipe, JSON.stringify({ extends: "tiny", input: { centre } }));
  const env = { GZ_CACHE_DIR: join(root, "fresh") };
  const prepared = await kaggle(["prepare", "--data", data, "--recipe", recipe], env);
  expect(prepared).toMatchObject({ code: 0 });
  expect(prepared.stdout).toContain(`${IMAGES - 1} of ${IMAGES} train galaxies measured`);
  expect(prepared.stderr).toMatch(
    /train: 39 of 40 galaxies found above 10 sigma in \d+s; the other images stay as they are/,
  );
  const out = join(root, "run");
  const train = ["train", "--recipe", recipe, "--data", data, "--out", out, "--backend", "wasm"];
  const trained = await kaggle([...train, "--steps", "2"], env);
  expect(trained, trained.stderr).toMatchObject({ code: 0 });
  expect(trained.stderr).not.toContain("galaxies found"); // known by then
  const predict = ["predict", "--run", out, "--data", data, "--split", "valid"];
  const predicted = await kaggle([...predict, "--transforms", "1", "--backend", "wasm"], env);
  expect(predicted, predicted.stderr).toMatchObject({ code: 0 });
  expect(readFileSync(join(out, "predictions", "valid.csv"), "utf8").split("\n")).toHaveLength(6);
});
