/** What a later start of a run goes on with, and what it refuses. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLUMNS, openDataset, readPredictions, writeSynthetic } from "@gz/galaxies";
import { latestCheckpoint, loadCheckpoint } from "@gz/train";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRun } from "../src/run/run.ts";
import type { CheckpointMeta } from "../src/training/setup.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const SMALLEST = fixture("smallest.json");
const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
/** Six steps of the smallest recipe. */
const run = join(root, "run");

const train = (out: string, ...more: string[]) =>
  kaggle(
    [
      ...["train", "--out", out, "--backend", "wasm", "--workers", "1"],
      ...(more.includes("--data") ? [] : ["--data", data]),
      ...more,
    ],
    env,
  );
const trained = async (out: string, ...more: string[]) => {
  const { code, stderr } = await train(out, ...more);
  expect(code, stderr).toBe(0);
};
const refused = async (...more: string[]) => {
  const { code, stderr } = await train(run, "--resume", ...more);
  expect(code).toBe(1);
  return stderr;
};

interface Line {
  kind: string;
  step: number;
  phase?: string;
  rmse: number;
}
const metricsOf = (out: string): Line[] =>
  readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const latest = async (out: string) =>
  loadCheckpoint((await latestCheckpoint(join(out, "checkpoints")))!);
const clipStepsOf = async (out: string) => ((await latest(out)).meta as CheckpointMeta).clipSteps;

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 0, seed: 5 });
  await trained(run, "--recipe", SMALLEST, "--steps", "6");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A network of parts that would regress labels directly for as long as it is let. */
const clipping = (schedule?: object) => {
  const file = join(root, schedule ? "still.json" : "clipping.json");
  const output = { clipSteps: 300_000 };
  writeFileSync(file, JSON.stringify({ extends: fixture("shared-norm.json"), output, schedule }));
  return file;
};

test("by the clock the clip-only phase ends after a fifth, for good, and its validation is of what predicts", async () => {
  const out = join(root, "minutes");
  await trained(out, "--recipe", clipping(), "--minutes", "0.1");
  const phases = (lines: Line[]) =>
    lines.filter(({ kind }) => kind === "train").map(({ phase }) => phase);
  const first = metricsOf(out);
  expect(phases(first).at(-1)).toBe("normal");
  const clipSteps = await clipStepsOf(out);
  expect(clipSteps).toBeGreaterThan(0);
  expect(clipSteps).toBeLessThan(first.at(-1)!.step);

  const predict = ["--split", "valid", "--transforms", "1", "--backend", "wasm"];
  expect(await kaggle(["predict", "--run", out, ...predict], env)).toMatchObject({ code: 0 });
  const { values } = await readPredictions(join(out, "predictions", "valid.csv"));
  const dataset = await openDataset(data);
  await dataset.close();
  const labels = dataset.labels!.subarray(36 * COLUMNS.length);
  const sum = values.reduce((total, value, i) => total + (value - labels[i]!) ** 2, 0);
  const valid = first.findLast(({ kind }) => kind === "valid")!;
  expect(valid.rmse).toBeCloseTo(Math.sqrt(sum / values.length), 5);

  await trained(out, "--resume", "--minutes", "0.2");
  const later = metricsOf(out).filter(({ step }) => step > first.at(-1)!.step);
  expect(new Set(phases(later))).toEqual(new Set(["normal"]));
  expect(await clipStepsOf(out)).toBe(clipSteps);
});

test("more steps do not lead back into the clip-only phase", async () => {
  const out = join(root, "steps");
  await trained(out, "--recipe", clipping(), "--steps", "10");
  expect(await clipStepsOf(out)).toBe(2);
  await trained(out, "--resume", "--steps", "110");
  const at = metricsOf(out).find(({ kind, step }) => kind === "train" && step === 20);
  expect(at?.phase).toBe("normal");
  expect(await clipStepsOf(out)).toBe(2);
});

test("a validation in the clip-only phase is of the network that predicts, too", async () => {
  const out = join(root, "still");
  await trained(out, "--recipe", clipping({ kind: "steps", rates: [[0, 0]] }), "--steps", "200");
  expect(await clipStepsOf(out)).toBe(40);
  const valid = metricsOf(out).filter(({ kind }) => kind === "valid");
  // Its weights stay as they are, and so does what it scores.
  expect(valid.map(({ step }) => step)).toEqual([25, 50, 75, 100, 125, 150, 175, 200]);
  expect(new Set(valid.map(({ rmse }) => rmse)).size).toBe(1);
});

test("a later start keeps the kind of budget, and no fewer steps than are done", async () => {
  expect(await refused("--minutes", "1")).toContain(
    `train: expected --steps, as ${run} was started with, but got --minutes`,
  );
  expect(await refused("--steps", "5")).toContain(
    `train: expected at least the 6 steps that ${run} has done for --steps but got 5`,
  );
  const minutes = join(root, "short");
  await trained(minutes, "--recipe", SMALLEST, "--minutes", "0.001");
  const back = await train(minutes, "--resume", "--steps", "100000");
  expect(back.stderr).toContain(
    `train: expected --minutes, as ${minutes} was started with, but got --steps`,
  );
  // A run that is done is: the same budget again changes nothing.
  const before = (await latest(run)).weights;
  await trained(run, "--resume", "--steps", "6");
  expect((await latest(run)).weights).toEqual(before);
  expect(openRun(run).info.budget).toEqual({ steps: 6 });
});

test("a later start has the same galaxies and labels, wherever they lie", async () => {
  const other = join(root, "others");
  await writeSynthetic(other, { train: 40, test: 0, seed: 6 });
  expect(await refused("--data", other)).toContain(
    `train: expected the galaxies and labels that ${run} was started with, ${data}, but ${other} has others`,
  );
  expect(openRun(run).info.data.path).toBe(data);
  const moved = join(root, "moved");
  cpSync(data, moved, { recursive: true });
  await trained(run, "--resume", "--data", moved);
  expect(openRun(run).info.data.path).toBe(moved);
});

test("a later start has the same recipe and seed", async () => {
  expect(await refused("--recipe", "tiny")).toContain(
    `train: expected smallest as it was then, as ${run} was started with, for --recipe beside --resume but got tiny`,
  );
  expect(await refused("--seed", "2")).toContain(
    `train: expected 1, as ${run} was started with, for --seed beside --resume but got 2`,
  );
  await trained(run, "--resume", "--recipe", SMALLEST, "--seed", "1");
});

test("what is no run is said so, and no folder is left", async () => {
  const typo = join(root, "rnu");
  const { code, stderr } = await kaggle(["train", "--resume", "--out", typo], env);
  expect(code).toBe(1);
  expect(stderr).toContain(`run: ${typo} is not a run: it has no run.json`);
  expect(existsSync(typo)).toBe(false);
  // Nor where the data set is not there.
  const lost = await train(typo, "--recipe", SMALLEST, "--data", join(root, "nowhere"));
  expect(lost.code).toBe(1);
  expect(existsSync(typo)).toBe(false);
  expect(existsSync(`${typo}.lock`)).toBe(false);
});

test("a run.json that is none is refused by key and file", async () => {
  const broken = join(root, "broken");
  cpSync(run, broken, { recursive: true });
  const file = join(broken, "run.json");
  const info = JSON.parse(readFileSync(file, "utf8"));
  for (const [value, message] of [
    [null, `run: expected Object for the run in ${file} but got null`],
    [{ ...info, data: undefined }, `run: expected data in ${file} but it is missing`],
    [{ ...info, formatVersion: 9 }, `run: expected 1 for formatVersion in ${file} but got 9`],
  ] as const) {
    writeFileSync(file, JSON.stringify(value));
    expect(() => openRun(broken)).toThrow(message);
  }
});
