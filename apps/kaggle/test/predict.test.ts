/** `kaggle predict`: of which checkpoint, by whom at a time, and what it leaves beside its files. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLUMNS, openDataset, readPredictions, writeSynthetic } from "@gz/galaxies";
import { bestCheckpoint, loadCheckpoint, readSafetensors } from "@gz/train";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockRun } from "../src/run/lock.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
/** A run that learns for 25 steps and unlearns for 25: its best checkpoint is not its latest. */
const run = join(root, "run");
const predictions = join(run, "predictions");
const file = (name: string) => join(predictions, name);

const predict = (...more: string[]) =>
  kaggle(["predict", "--run", run, "--backend", "wasm", "--workers", "1", ...more], env);
const predicted = async (...more: string[]) => {
  const { code, stderr } = await predict(...more);
  expect(code, stderr).toBe(0);
};

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 3, seed: 5 });
  const recipe = join(root, "forgetful.json");
  const smallest = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
  const rates = [
    [0, 1e-3],
    [0.5, 0.3],
  ];
  writeFileSync(recipe, JSON.stringify({ extends: smallest, schedule: { kind: "steps", rates } }));
  const { code, stderr } = await kaggle(
    [
      ...["train", "--recipe", recipe, "--data", data, "--out", run, "--steps", "50"],
      ...["--backend", "wasm", "--workers", "1"],
    ],
    env,
  );
  expect(code, stderr).toBe(0);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("--checkpoint best is the network of the lowest validation RMSE, exported too", async () => {
  const dataset = await openDataset(data);
  await dataset.close();
  const labels = dataset.labels!.subarray(36 * COLUMNS.length);
  const rmse = async (checkpoint: string) => {
    const out = join(root, `${checkpoint}.csv`);
    const valid = ["--split", "valid", "--transforms", "1", "--out", out];
    await predicted(...valid, "--checkpoint", checkpoint);
    const { values } = await readPredictions(out);
    const sum = values.reduce((total, value, i) => total + (value - labels[i]!) ** 2, 0);
    return Math.sqrt(sum / values.length);
  };
  const logged = readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "valid");
  expect(logged.map(({ step }) => step)).toEqual([25, 50]);
  expect(logged[0].rmse).toBeLessThan(logged[1].rmse - 0.01);
  expect(await rmse("best")).toBeCloseTo(logged[0].rmse, 5);
  expect(await rmse("latest")).toBeCloseTo(logged[1].rmse, 5);

  const out = join(root, "exported");
  const exported = await kaggle(["export", run, "--checkpoint", "best", "--out", out], env);
  expect(exported, exported.stderr).toMatchObject({ code: 0 });
  const { step, average } = await loadCheckpoint((await bestCheckpoint(join(run, "checkpoints")))!);
  expect(step).toBe(25);
  const { tensors, metadata } = await readSafetensors(join(out, "model.safetensors"));
  expect(metadata.step).toBe("25");
  expect(tensors["head/kernel"]).toEqual(average!["head/kernel"]);
  const card = readFileSync(join(out, "README.md"), "utf8");
  expect(card).toContain("decay 0.99, at the lowest validation RMSE |");
  expect(card).toContain(`${logged[0].rmse.toFixed(5)} after 25 steps`);
});

test("one at a time predicts and joins; parts go on beside it, an empty one says so", async () => {
  const unlock = await lockRun(predictions);
  const { code, stderr } = await predict("--transforms", "1");
  expect(code).toBe(1);
  expect(stderr).toContain(`run: ${predictions} is in use by another process (${process.pid})`);
  const part = await predict("--transforms", "1", "--part", "1/2");
  expect(part, part.stderr).toMatchObject({ code: 0 });
  expect(part.stdout).toMatch(/test-00000000\.csv\n$/);
  const empty = await predict("--transforms", "1", "--part", "2/2");
  expect(empty).toMatchObject({ code: 0, stdout: "" });
  expect(empty.stderr).toContain("part 2 of 2 is empty: shards of 1000 galaxies: 1\n");
  await unlock();
  await predicted("--transforms", "1");
  expect((await readPredictions(file("test.csv"))).ids).toHaveLength(3);
  expect(existsSync(join(predictions, "owner.pid"))).toBe(false);
});

test("predictions without the untransformed view leave none of an earlier call beside them", async () => {
  const grid = (name: string, value: object) => {
    const path = join(root, `${name}.json`);
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  await predicted("--transforms", grid("with", { flips: [false, true] }));
  expect(existsSync(file("test.single.csv"))).toBe(true);
  await predicted("--transforms", grid("without", { rotations: [90, 180] }));
  expect(existsSync(file("test.single.csv"))).toBe(false);
  const unknown = grid("unknown", { zoom: [1] });
  expect((await predict("--transforms", unknown)).stderr).toContain(
    `predict: unknown key zoom in ${unknown}`,
  );
});
