/** What the app says when something is wrong, and that nothing is lost by it. */
import type { ChildProcess } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  COLUMNS,
  openDataset,
  readPredictions,
  writePredictions,
  writeSynthetic,
} from "@gz/galaxies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fingerprintOf, readOrigin } from "../src/run/origin.ts";
import { kaggle, startKaggle, temporaryFolder } from "./cli.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const data = join(root, "galaxies");
const env = { GZ_CACHE_DIR: join(root, "cache") };
const run = join(root, "run");

const recipeFile = (name: string, changes: object) => {
  const file = join(root, `${name}.json`);
  writeFileSync(file, JSON.stringify({ extends: SMALLEST, ...changes }));
  return file;
};
const train = (out: string, ...more: string[]) => [
  ...["train", "--data", data, "--out", out, "--backend", "wasm", "--workers", "1"],
  ...more,
];

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 6, seed: 5 });
  const outcome = await kaggle(
    train(run, "--recipe", SMALLEST, "--steps", "6", "--checkpoint-steps", "2"),
    env,
  );
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each([
  [
    ["fly"],
    "expected one of doctor, prepare, train, predict, blend, evaluate, report, export, reproduce, experiments, demo for COMMAND but got fly",
  ],
  [["constructor"], "for COMMAND but got constructor"],
  [["train", "tiny", "--out", "x"], "train: expected options alone but got tiny"],
  [["predict", "--run", "x", "valid", "test"], "expected options alone but got valid test"],
  [["prepare", "x"], "prepare: expected options alone but got x"],
  [["doctor", "tiny"], "doctor: expected options alone but got tiny"],
  [["demo", "x"], "demo: expected options alone but got x"],
  [["reproduce", "winner"], "reproduce: expected options alone but got winner"],
  [["doctor", "--json"], "doctor: expected --recipe beside --json but got none"],
  [["doctor", "--threads", "0"], "doctor: expected --recipe beside --threads but got none"],
  [["train", "--out", "x", "--colour", "red"], "train: unknown option --colour"],
  [
    ["train", "--out", "x"],
    "train: expected a data set for --data (or in GALAXY_ZOO_DIR) but got none",
  ],
  [
    ["train", "--out", "x", "--data", "y", "--steps", "-3"],
    "expected a whole number of at least 1 for --steps but got -3",
  ],
  [
    ["train", "--out", "x", "--data", "y", "--steps", "3", "--minutes", "1"],
    "expected --steps or --minutes but got both",
  ],
  [
    ["train", "--out", "x", "--data", "y", "--recipe", "worst"],
    "shareddense, shareddense512 or a JSON file for --recipe but got worst",
  ],
  [
    ["predict", "--run", "x", "--split", "half"],
    "expected valid, test or all for --split but got half",
  ],
  [
    ["predict", "--run", "x", "--checkpoint", "worst"],
    "expected latest or best for --checkpoint but got worst",
  ],
  [["predict", "--run", "nowhere", "--data", "y"], "nowhere is not a run: it has no run.json"],
  [["blend", "--out", "x.csv"], "expected at least one predictions file but got none"],
  [["blend", "--out", "x.csv", "nowhere.csv"], "nowhere.csv is not there"],
  [["report"], "expected at least one RUN but got none"],
])("kaggle %s", async (args, message) => {
  const { code, stderr, stdout } = await kaggle(args as string[], env);
  expect(stderr).toContain(message);
  expect(stdout).toBe("");
  expect(code).toBe(1);
});

test("a recipe with an unknown key, a nonsense value or a layer that does not fit names it", async () => {
  const outcomes = await Promise.all(
    [
      recipeFile("unknown", { augment: { brightness: 1 } }),
      recipeFile("nonsense", { batch: "many" }),
      recipeFile("falling", { schedule: { kind: "steps", rates: [[0.5, 0.1]] } }),
    ].map((file) => kaggle(train(join(root, "none"), "--recipe", file), env)),
  );
  const [unknown, nonsense, falling] = outcomes.map(({ stderr }) => stderr);
  expect(unknown).toMatch(/unknown key augment\.brightness in .*unknown\.json/);
  expect(nonsense).toMatch(/expected number for batch in .*nonsense\.json but got "many"/);
  expect(falling).toContain("expected rising fractions from 0 for schedule.rates but got 0.5");
  const tooSmall = recipeFile("too-small", {
    extends: "best",
    input: { size: 20 },
    network: { partSize: 20 },
  });
  const { code, stderr } = await kaggle(train(join(root, "none2"), "--recipe", tooSmall), env);
  expect(code).toBe(1);
  expect(stderr).toMatch(/recipe.*conv[234]/);
  // None of them left anything behind.
  for (const name of ["none", "none2"]) expect(existsSync(join(root, name)), name).toBe(false);
});

test("a folder that holds a run is not overwritten, one in use is refused", async () => {
  const before = readFileSync(join(run, "recipe.json"), "utf8");
  const again = await kaggle(train(run, "--recipe", SMALLEST), env);
  expect(again.stderr).toContain("already holds a run; go on with --resume, or give another --out");
  expect(readFileSync(join(run, "recipe.json"), "utf8")).toBe(before);

  const busy = join(root, "busy");
  const first = startKaggle(train(busy, "--recipe", SMALLEST, "--steps", "100000"), env);
  const closed = new Promise((resolve) => first.on("close", resolve));
  await new Promise<void>((resolve) => {
    first.stderr?.on("data", (text) => String(text).includes("parameters") && resolve());
  });
  const second = await kaggle(train(busy, "--resume"), env);
  expect(second.stderr).toMatch(/busy is in use by another process \(\d+\)/);

  // Ctrl-C saves, says how to go on, and exits with 130.
  let said = "";
  first.stderr?.on("data", (text) => (said += text));
  first.kill("SIGINT");
  expect(await closed).toBe(130);
  const [, step] =
    said.match(/saved at step (\d+); go on with: npm run kaggle -- train --out .* --resume/) ?? [];
  // The command that it named goes on as it stands: data and backend are the run's own.
  const steps = String(Number(step) + 2);
  const resumed = await kaggle(["train", "--out", busy, "--resume", "--steps", steps], env);
  expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
  expect(resumed.stderr).toContain(`going on from step ${step}\n`);
  expect(resumed.stderr).toContain(`busy: trained ${steps} steps`);
});

/** Waits until it says so. */
async function said(child: ChildProcess, text: string): Promise<void> {
  let all = "";
  child.stderr?.on("data", (part) => (all += part));
  while (!all.includes(text) && child.exitCode === null) await sleep(20);
}
const closedWith = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.on("close", resolve));

test("a closed terminal saves, as Ctrl-C does", async () => {
  const out = join(root, "hung-up");
  const child = startKaggle(train(out, "--recipe", SMALLEST, "--steps", "100000"), env);
  const closed = closedWith(child);
  await said(child, "parameters");
  child.stderr?.destroy(); // who read it is gone
  child.kill("SIGHUP");
  expect(await closed).toBe(130);
  expect(readdirSync(join(out, "checkpoints"))).not.toEqual(["step-00000000"]);
});

test("a measurement that is interrupted is none", async () => {
  const options = ["--recipe", SMALLEST, "--data", data, "--backend", "wasm", "--seconds", "100"];
  const child = startKaggle(["doctor", ...options, "--json"], env);
  const closed = closedWith(child);
  let stdout = "";
  child.stdout?.on("data", (text) => (stdout += text));
  await said(child, "parameters");
  await sleep(500);
  child.kill("SIGINT");
  expect(await closed).toBe(130);
  expect(stdout).toBe("");
});

test("a reader that goes away is no error", async () => {
  const child = startKaggle(["prepare", "--data", data], env);
  child.stdout?.destroy();
  let stderr = "";
  child.stderr?.on("data", (text) => (stderr += text));
  expect(await closedWith(child)).toBe(0);
  expect(stderr).not.toContain("EPIPE");
});

test("the version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(await kaggle(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test("a demo needs a folder of its own", async () => {
  const { code, stderr } = await kaggle(["demo", "--out", run], env);
  expect(code).toBe(1);
  expect(stderr).toContain(`demo: expected a new or an empty folder for --out but ${run} holds `);
});

test("a loss that is not finite stops the run and keeps the last good checkpoint", async () => {
  const out = join(root, "diverged");
  const recipe = recipeFile("diverging", {
    optimizer: { kind: "nesterov", momentum: 0.9 },
    schedule: { kind: "steps", rates: [[0, 1e30]] },
  });
  const { code, stderr } = await kaggle(train(out, "--recipe", recipe, "--steps", "30"), env);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /the loss is no longer finite at step \d+; the last good checkpoint is in .*Try a lower learning rate/,
  );
  expect(readdirSync(join(out, "checkpoints")).sort().at(0)).toBe("step-00000000");
});

test("a checkpoint cut short, or of another format version, is refused by name", async () => {
  const cut = join(root, "cut");
  const outcome = await kaggle(train(cut, "--recipe", SMALLEST, "--steps", "2"), env);
  expect(outcome.code).toBe(0);
  const checkpoint = join(cut, "checkpoints", readdirSync(join(cut, "checkpoints")).sort().at(-1)!);
  const weights = join(checkpoint, "model.safetensors");
  const whole = readFileSync(weights);
  truncateSync(weights, whole.length - 10);
  const short = await kaggle(train(cut, "--resume", "--steps", "4"), env);
  expect(short.code).toBe(1);
  expect(short.stderr).toContain("model.safetensors");
  writeFileSync(weights, whole);
  const meta = join(checkpoint, "meta.json");
  writeFileSync(
    meta,
    readFileSync(meta, "utf8").replace('"formatVersion": 1', '"formatVersion": 9'),
  );
  const newer = await kaggle(train(cut, "--resume", "--steps", "4"), env);
  expect(newer.stderr).toMatch(/expected format version 1 in .*meta\.json but got 9/);
});

test("prepare lists everything that is wrong, by file and row", async () => {
  const broken = join(root, "broken");
  await writeSynthetic(broken, { train: 6, test: 2, seed: 8 });
  const csv = join(broken, "training_solutions_rev1.csv");
  const lines = readFileSync(csv, "utf8").trim().split("\n");
  lines[2] = lines[2]!.split(",").slice(0, 20).join(",");
  lines[4] = lines[4]!.replace(/,[^,]+$/, ",banana");
  writeFileSync(csv, `${lines.join("\n")}\n`);
  appendFileSync(csv, `${lines[1]}\n`);
  const images = join(broken, "images_training_rev1");
  const last = readdirSync(images).sort().at(-1)!;
  writeFileSync(join(images, last), "not a picture");
  const { code, stdout, stderr } = await kaggle(["prepare", "--data", broken], env);
  expect(code).toBe(1);
  expect(stdout).toContain("training_solutions_rev1.csv:3");
  expect(stdout).toContain("training_solutions_rev1.csv:5");
  expect(stdout).toContain("training_solutions_rev1.csv:8");
  expect(stdout).toContain(last);
  expect(stderr).toMatch(/[4-9] problems in/);
});

test("a submission has every test id, its members the same galaxies, and scores that can be checked", async () => {
  for (const split of ["valid", "test"]) {
    const { code, stderr } = await kaggle(
      [
        "predict",
        "--run",
        run,
        "--data",
        data,
        "--split",
        split,
        "--transforms",
        "1",
        "--backend",
        "wasm",
      ],
      env,
    );
    expect(code, stderr).toBe(0);
  }
  const dataset = await openDataset(data);
  await dataset.close();
  const test_ = join(run, "predictions", "test.csv");
  const predictions = await readPredictions(test_);
  expect(predictions.ids).toEqual(dataset.testIds);
  // Whose they are is noted beside them: blend refuses another data set's.
  expect(readOrigin(test_)).toEqual({
    formatVersion: 1,
    data: dataset.path,
    fingerprint: fingerprintOf(dataset),
  });

  const good = await kaggle(
    ["blend", "--out", join(root, "submission.csv"), "--labels", data, run],
    env,
  );
  expect(good.code, good.stderr).toBe(0);
  const blended = await readPredictions(join(root, "submission.csv"));
  expect(blended.values).toBeAllClose(predictions.values, { rtol: 0, atol: 1e-7 });
  // The printed score of the only member is its RMSE on the validation rows.
  const valid = await readPredictions(join(run, "predictions", "valid.csv"));
  const labels = dataset.labels!.subarray(36 * COLUMNS.length);
  const rmse = Math.sqrt(
    valid.values.reduce((sum, p, i) => sum + (p - labels[i]!) ** 2, 0) / labels.length,
  );
  expect(good.stdout).toContain(rmse.toFixed(5));

  const fewer = join(root, "fewer");
  mkdirSync(join(fewer, "predictions"), { recursive: true });
  const width = COLUMNS.length;
  await writePredictions(
    join(fewer, "predictions", "test.csv"),
    predictions.ids.slice(1),
    predictions.values.slice(width),
  );
  await writePredictions(join(fewer, "predictions", "valid.csv"), valid.ids, valid.values);
  const mixed = await kaggle(["blend", "--out", join(root, "mixed.csv"), run, fewer], env);
  expect(mixed.code).toBe(1);
  expect(mixed.stderr).toMatch(
    /expected the 6 galaxies of .*run.predictions.test\.csv but .*fewer.predictions.test\.csv misses 1 \(\d+\)/,
  );
  const alone = await kaggle(
    ["blend", "--out", join(root, "alone.csv"), "--labels", data, fewer],
    env,
  );
  expect(alone.code).toBe(1);
  expect(alone.stderr).toMatch(
    /expected the 6 galaxies of the test set of .* but .*fewer.predictions.test\.csv misses 1 \(\d+\)/,
  );
});
