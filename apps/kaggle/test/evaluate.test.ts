/** kaggle evaluate as a user runs it: the table, evaluation.json, the pictures, and what is said when something is wrong. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  COLUMNS,
  openDataset,
  readPredictions,
  writePredictions,
  writeSynthetic,
} from "@gz/galaxies";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type EvaluateOptions, evaluate } from "../src/evaluation/evaluation.ts";
import {
  type Evaluation,
  evaluationFileIn,
  readEvaluation,
} from "../src/evaluation/evaluation-file.ts";
import { kaggle, startKaggle, temporaryFolder } from "./cli.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const data = join(root, "galaxies");
const run = join(root, "run");
const env = { GZ_CACHE_DIR: join(root, "cache") };
const wasm = ["--backend", "wasm", "--workers", "1"];

beforeAll(async () => {
  await writeSynthetic(data, { train: 80, test: 2, seed: 6 });
  const train = ["train", "--data", data, "--out", run, "--recipe", SMALLEST, "--steps", "6"];
  const predict = ["predict", "--run", run, "--split", "valid", "--transforms", "1"];
  for (const command of [train, predict]) {
    const outcome = await kaggle([...command, ...wasm], env);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const valid = join(run, "predictions", "valid.csv");

test("a run: its scores in a table and a file, its network in pictures, the same ones again", async () => {
  const outcome = await kaggle(["evaluate", run, "--images", "3", ...wasm], env);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const evaluation = readEvaluation(evaluationFileIn(run))!;
  const { judgement, look } = evaluation;
  const dataset = await openDataset(data);
  await dataset.close();
  const { ids, values } = await readPredictions(valid);
  const truth = dataset.labels!.subarray(72 * 37);
  const squares = values.reduce((sum, value, i) => sum + (value - truth[i]!) ** 2, 0);
  expect(judgement.galaxies).toBe(8);
  expect(judgement.rmse).toBeCloseTo(Math.sqrt(squares / truth.length), 9);
  // One view of one network keeps the tree to rounding.
  expect(judgement.violation.sum).toBeLessThan(1e-6);
  expect(judgement.violation.range).toBe(0);

  expect(outcome.stdout).toContain(`run  RMSE ${judgement.rmse.toFixed(5)}  over 8 galaxies`);
  expect(outcome.stdout).toMatch(/ 1 smooth or disk +0\.\d{4} +8 +\d+\.\d %/);
  expect(outcome.stdout).toContain(`smooth ${judgement.answers[0]!.toFixed(4)} · features or disk`);
  expect(outcome.stdout).toContain(join(run, "evaluation.json"));

  expect(look!.equivariance.galaxies).toBe(3);
  expect(look!.equivariance.before).toBeGreaterThan(0);
  expect(look!.equivariance.after).toBeLessThan(look!.equivariance.before);
  expect(look!.equivariance.examples[0]!.plain).toHaveLength(12);
  expect(look!.searched).toBe(8);
  expect(look!.units.slice(0, 12).map(({ index }) => COLUMNS[index])).toContain("Class4.1");
  for (const { galaxies } of look!.units) {
    expect(galaxies).toHaveLength(5);
    const excited = galaxies.map(({ value }) => value);
    expect(excited).toEqual([...excited].sort((a, b) => b - a));
    for (const { id } of galaxies) expect(ids).toContain(id);
  }
  expect(readdirSync(join(run, "evaluation")).sort()).toEqual(["filters.png", "maximised.png"]);
  expect(look!.filters).toEqual({ file: join("evaluation", "filters.png"), count: 8, side: 3 });
  expect(look!.maximised).toMatchObject({ count: look!.units.length, side: 24 });
  const { width, height } = await sharp(join(run, look!.maximised.file)).metadata();
  expect([width, height]).toEqual([12 * 24, Math.ceil(look!.units.length / 12) * 24]);

  const again = join(root, "again");
  const second = await kaggle(["evaluate", run, "--out", again, "--images", "3", ...wasm], env);
  expect(second, second.stderr).toMatchObject({ code: 0 });
  for (const file of ["evaluation.json", look!.filters!.file, look!.maximised.file])
    expect(readFileSync(join(again, file)).equals(readFileSync(join(run, file)))).toBe(true);
});

test("predictions of unlabelled galaxies are left out; files and runs go side by side", async () => {
  const { ids, values } = await readPredictions(valid);
  const some = join(root, "some.csv");
  await writePredictions(
    some,
    [...ids.slice(0, 4), 7],
    Float32Array.from([...values.subarray(0, 4 * 37), ...values.subarray(0, 37)]),
  );
  const other = join(root, "other");
  cpSync(run, other, { recursive: true });
  rmSync(join(other, "evaluation.json"));
  rmSync(join(other, "checkpoints"), { recursive: true });
  const { code, stderr, stdout } = await kaggle(
    ["evaluate", some, other, "--labels", data, "--no-pictures"],
    env,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/some {2}RMSE [\d.]+ {2}over 4 galaxies/);
  expect(stdout).toMatch(/other {2}RMSE [\d.]+ {2}over 8 galaxies/);
  const written = JSON.parse(
    readFileSync(join(root, "some.evaluation.json"), "utf8"),
  ) as Evaluation;
  expect(written).toMatchObject({ name: "some", predictions: some, labels: data });
  expect(written.judgement.galaxies).toBe(4);
  expect(readEvaluation(evaluationFileIn(other))!.look).toBeUndefined();
});

test("an interruption leaves nothing behind, and what was there", async () => {
  const fresh = join(root, "fresh");
  const child = startKaggle(["evaluate", run, "--out", fresh, ...wasm], env);
  child.stderr?.on("data", (text) => /looking at/.test(String(text)) && child.kill("SIGINT"));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(130);
  expect(existsSync(fresh)).toBe(false);
});

test("errors say what is wrong before any work", async () => {
  const bare = join(root, "bare");
  cpSync(run, bare, { recursive: true });
  rmSync(join(bare, "predictions", "valid.csv"));
  const strange = join(root, "strange.csv");
  await writePredictions(strange, [7], new Float32Array(37));
  const unlabelled = join(root, "unlabelled");
  mkdirSync(join(unlabelled, "images_test_rev1"), { recursive: true });
  writeFileSync(join(unlabelled, "images_test_rev1", "1.jpg"), "");
  const untrained = join(root, "untrained");
  cpSync(run, untrained, { recursive: true });
  rmSync(join(untrained, "checkpoints"), { recursive: true });
  const missing = join(root, "no.csv");
  // Rendered data sets share their ids.
  const foreign = join(root, "foreign.csv");
  const elsewhere = join(root, "elsewhere");
  cpSync(valid, foreign);
  writeFileSync(
    join(root, "foreign.origin.json"),
    JSON.stringify({ formatVersion: 1, data: elsewhere, fingerprint: "0123456789abcdef" }),
  );
  const usual: EvaluateOptions = { subjects: [run], labels: data };
  const look: EvaluateOptions["look"] = {
    images: undefined,
    backend: "wasm",
    workers: 1,
    signal: new AbortController().signal,
  };
  const cases: [Partial<EvaluateOptions>, string][] = [
    [{ subjects: [] }, "evaluate: expected at least one run or predictions file but got none"],
    [
      { subjects: [missing] },
      `evaluate: expected a run or a predictions file but ${missing} is not there`,
    ],
    [{ subjects: [root] }, `run: ${root} is not a run: it has no run.json`],
    [
      { subjects: [bare] },
      `evaluate: ${bare} has no predictions of validation galaxies yet; run kaggle predict --run ${bare} --split valid`,
    ],
    [
      { subjects: [valid], labels: undefined },
      `evaluate: expected labels for ${valid} (--labels, or GALAXY_ZOO_DIR) but got none`,
    ],
    [
      { subjects: [run, valid], out: root },
      "evaluate: expected one run or predictions file for --out but got 2",
    ],
    [{ labels: missing }, `evaluate: expected labels in ${missing} but it is not there`],
    [{ labels: unlabelled }, `evaluate: expected labels in ${unlabelled} but found none`],
    [
      { subjects: [strange] },
      `evaluate: expected predictions of galaxies with labels in ${data} but none of the 1 in ${strange} has one`,
    ],
    [
      { subjects: [foreign] },
      `evaluate: expected predictions for ${data} but ${foreign} is of another data set (${elsewhere})`,
    ],
    [
      { subjects: [untrained], look },
      `evaluate: ${untrained} has no checkpoint yet; train it first`,
    ],
  ];
  const before = readdirSync(root).sort();
  vi.stubEnv("GALAXY_ZOO_DIR", "");
  for (const [options, message] of cases)
    await expect(evaluate({ ...usual, ...options }).next()).rejects.toThrow(message);
  vi.unstubAllEnvs();
  expect(readdirSync(root).sort()).toEqual(before);
  const { code, stderr } = await kaggle(["evaluate", run, "--color"], env);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("evaluate: unknown option --color"),
  });
});
