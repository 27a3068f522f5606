/** What `kaggle export` writes: the same network wherever it is loaded, the same numbers in every file, a card that is true. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createRng } from "@gz/augment";
import { COLUMNS, readPredictions, writeSynthetic } from "@gz/galaxies";
import { latestCheckpoint, loadCheckpoint, readSafetensors, writeSafetensors } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelCard } from "../src/export/card.ts";
import { exportRun } from "../src/export/export.ts";
import { inputShape } from "../src/images/input.ts";
import { chooseBackend } from "../src/machine/backend.ts";
import { weightsFrom, weightsOfRun } from "../src/network/trained-weights.ts";
import { loadModel } from "../src/prediction/predict.ts";
import { type Budget, openRun } from "../src/run/run.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
/** A residual network of all symmetries, with a moving average; the winner's kind, without one, centred, at two scales. */
const residual = join(root, "residual");
const parts = join(root, "parts");
const exported = join(root, "exported");
let server: Server;

const done = async (...args: string[]) => {
  const { code, stdout, stderr } = await kaggle(args, env);
  expect(code, stderr).toBe(0);
  return stdout.trim();
};
const train = (out: string, recipe: string, ...more: string[]) =>
  done(
    ...["train", "--recipe", recipe, "--data", data, "--out", out, "--backend", "wasm"],
    ...["--workers", "1", ...more],
  );
const url = (folder: string, file: string) => {
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}${join(folder, file)}`;
};
const card = (folder: string) => readFileSync(join(folder, "README.md"), "utf8");

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 0, seed: 5 });
  const centred = join(root, "centred.json");
  const centre = { threshold: 2, radius: 160, limit: 1.5 };
  const contrast = { mean: 2, deviation: 3, bias: 0.01 };
  const input = { centre, span: [207, 300], contrast };
  const augment = { gamma: 1.2, noise: 0.02 };
  const network = { head: { dropout: 0.5, std: 0.4, bias: 1.5 } };
  writeFileSync(
    centred,
    JSON.stringify({ extends: fixture("shared-norm.json"), input, augment, network }),
  );
  const symmetric = join(root, "symmetric.json");
  const views = { input: { angles: [0, 45] }, network: { symmetries: true } };
  writeFileSync(symmetric, JSON.stringify({ extends: fixture("smallest.json"), ...views }));
  await train(residual, symmetric, "--steps", "4", "--seed", "3");
  await train(parts, centred, "--steps", "1");
  expect(await done("export", residual, "--out", exported)).toBe(exported);
  await exportRun(parts, join(parts, "export"));
  server = createServer((request, response) => {
    response.end(readFileSync(request.url!));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  await chooseBackend("wasm");
});
afterAll(() => {
  server?.close();
  rmSync(root, { recursive: true, force: true });
});

test.each([
  ["residual", residual, exported],
  ["parts", parts, join(parts, "export")],
])(
  "loadLayersModel gives the outputs of the run's own model, bit for bit (%s)",
  async (_, folder, out) => {
    expect(readdirSync(out).sort()).toEqual([
      "README.md",
      "model.json",
      "model.safetensors",
      "weights.bin",
    ]);
    const run = openRun(folder);
    const own = await loadModel(run, (await latestCheckpoint(run.checkpoints))!);
    const loaded = await tf.loadLayersModel(url(out, "model.json"));
    const shape = inputShape(run.recipe, 3);
    const size = shape.reduce((a, b) => a * b);
    const rng = createRng(1);
    // One dark, one bright, one between.
    const values = Float32Array.from(
      { length: size },
      (_, i) => rng.uniform(0, 1) * [0.1, 1, 0.4][Math.floor((3 * i) / size)]!,
    );
    const batch = tf.tensor(values, shape);
    const [expected, got] = [own, loaded].map((model) =>
      (model.predict(batch) as tf.Tensor).dataSync(),
    );
    expect(expected).toHaveLength(3 * 37);
    expect(new Set(expected).size).toBeGreaterThan(37); // the galaxies differ
    expect(got).toEqual(expected);
  },
);

test("the safetensors file holds what the run predicts with, the average where there is one, and its recipe", async () => {
  for (const [folder, out] of [
    [residual, exported],
    [parts, join(parts, "export")],
  ] as const) {
    const run = openRun(folder);
    const checkpoint = await loadCheckpoint((await latestCheckpoint(run.checkpoints))!);
    const { updates, ...average } = checkpoint.average ?? {};
    expect(updates === undefined).toBe(folder === parts);
    const { tensors, metadata } = await readSafetensors(join(out, "model.safetensors"));
    expect(tensors).toEqual(updates ? average : checkpoint.weights);
    if (updates) expect(tensors["stem/kernel"]).not.toEqual(checkpoint.weights["stem/kernel"]);
    expect(JSON.parse(metadata.recipe!)).toEqual(run.recipe);
    expect(metadata.step).toBe(String(checkpoint.step));
  }
});

test("the card has the run's numbers, and the columns in order", () => {
  const text = card(exported);
  const metrics = readFileSync(join(residual, "metrics.jsonl"), "utf8").trim().split("\n");
  const valid = metrics.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "valid");
  const row = (name: string) => text.match(new RegExp(`^\\| ${name} \\| (.*) \\|$`, "m"))?.[1];
  expect(text).toMatch(/^# symmetric$/m);
  expect(row("steps")).toBe("4, each on 8 galaxies");
  expect(row("weights")).toBe("moving average over the steps, decay 0.99");
  expect(row("training data")).toBe("galaxies: 36 galaxies");
  expect(row("validation RMSE")).toBe(
    `${valid.at(-1).rmse.toFixed(5)} after 4 steps, over all answers of 4 of the 4 galaxies that were held out, each seen once as it is`,
  );
  expect(row("run")).toMatch(/^`residual`, seed 3, started 20\d\d-\d\d-\d\d$/);
  // Convolutions of 3 x 3 and 1 x 1 and four numbers a channel of each normalisation, then 37 x (8 + 1) of the head.
  expect(row("parameters")).toBe(
    (9 * 3 * 8 + 2 * 9 * 64 + 64 + 4 * 4 * 8 + 37 * 9).toLocaleString("en"),
  );
  const columns = [...text.matchAll(/^\| (\d+) \| (Class[\d.]+) \| .+ \| .+ \| (.*) \|$/gm)];
  expect(columns.map(([, column]) => Number(column))).toEqual(COLUMNS.map((_, k) => k));
  expect(columns.map(([, , name]) => name)).toEqual(COLUMNS);
  expect(columns.find(([, , name]) => name === "Class2.1")?.[3]).toBe("Class1.2");
  expect(text).toContain("float32 [batch, 2, 24, 24, 3]");
  expect(JSON.parse(text.match(/```json\n(.*?)```/s)![1]!)).toEqual(openRun(residual).recipe);
  const other = card(join(parts, "export"));
  expect(other).toContain("| weights | those of the last step |");
  expect(other).toContain(
    "of 19 x 19 pixels over the middle 207 x 207, 300 x 300 of the full size:",
  );
  expect(other).toContain("Nothing more: the first layer normalises the local contrast.");
  const run = openRun(residual);
  const of = (budget: Budget) =>
    modelCard(
      { ...run, info: { ...run.info, budget } },
      { step: 4, checkpoint: "latest", parameters: 1 },
    );
  expect(of({ steps: 4000 })).toContain("| steps | 4, each on 8 galaxies; 4,000 were planned |");
  expect(of({ minutes: 2 })).toContain(
    "| steps | 4, each on 8 galaxies, in a budget of 2 minutes |",
  );
});

test.each([
  ["residual", residual, exported],
  ["parts, centred, at two scales, contrast normalised", parts, join(parts, "export")],
])("the card's program answers as `kaggle predict` does (%s)", async (_, folder, out) => {
  await done(
    ...["predict", "--run", folder, "--split", "valid", "--transforms", "1"],
    ...["--backend", "wasm", "--workers", "1"],
  );
  const predicted = await readPredictions(join(folder, "predictions", "valid.csv"));
  const image = join(data, "images_training_rev1", `${predicted.ids[0]}.jpg`);
  const program = card(out)
    .match(/```js\n(.*?)```/s)![1]!
    .replace("https://example.org/model.json", url(out, "model.json"))
    .replace("galaxy.jpg", image);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { cwd: REPOSITORY },
  );
  const [one, two] = [0, 37].map((at) => predicted.values.subarray(at, at + 37));
  expect(Math.max(...one!.map((value, k) => Math.abs(value - two![k]!)))).toBeGreaterThan(1e-3);
  const answers = stdout
    .trim()
    .split("\n")
    .slice(-37)
    .map((line) => line.split(" "));
  expect(answers.map(([name]) => name)).toEqual(COLUMNS);
  // Another backend sums in another order.
  expect(answers.map(([, value]) => Number(value))).toBeAllClose(one!, {
    atol: 1e-5,
  });
});

test("training goes on from an exported folder or its file as from the run", async () => {
  const file = join(exported, "model.safetensors");
  const own = await weightsOfRun(openRun(residual));
  expect(await weightsFrom(file)).toEqual({ ...own, path: file });
  expect(await weightsFrom(exported)).toEqual({ ...own, path: exported });
  const out = join(root, "from");
  await done(
    ...["train", "--from", file, "--data", data, "--out", out, "--steps", "1"],
    ...["--backend", "wasm", "--workers", "1"],
  );
  const start = await loadCheckpoint(join(out, "checkpoints", "step-00000000"));
  expect(start.weights).toEqual(own.tensors);
  const { recipe, info } = openRun(out);
  expect(recipe).toEqual(own.recipe);
  expect(info.from).toEqual({ path: file, recipe: "symmetric", step: 4, head: "kept" });
  // The default folder; the card says whence it came.
  expect(await done("export", out)).toBe(join(out, "export"));
  expect(card(join(out, "export"))).toContain("`model.safetensors` (recipe `symmetric`, 4 steps)");
});

test("what cannot be exported, or gone on from, is said; nothing is overwritten or left behind", async () => {
  const { code, stderr } = await kaggle(["export", residual, parts], env);
  expect(code).toBe(1);
  expect(stderr).toContain(`export: expected one RUN but got ${residual}, ${parts}`);
  await expect(exportRun(join(root, "nowhere"), "x")).rejects.toThrow("nowhere is not a run");
  const before = readFileSync(join(exported, "model.json"));
  await expect(exportRun(parts, exported)).rejects.toThrow(
    `export: expected a new or an empty folder for --out but ${exported} holds README.md`,
  );
  expect(readFileSync(join(exported, "model.json"))).toEqual(before);
  const file = join(exported, "README.md");
  await expect(exportRun(parts, file)).rejects.toThrow(`but ${file} is a file`);
  const empty = join(root, "empty");
  mkdirSync(empty);
  await exportRun(parts, empty);
  expect(readdirSync(empty)).toContain("model.json");

  rmSync(join(parts, "checkpoints", "step-00000001"), { recursive: true });
  const untrained = await kaggle(["export", parts, "--out", join(root, "untrained")], env);
  expect(untrained).toMatchObject({ code: 0 });
  expect(untrained.stderr).toContain(`warning: ${parts} is at step 0`);
  rmSync(join(parts, "checkpoints"), { recursive: true });
  await expect(exportRun(parts, join(root, "none"))).rejects.toThrow(
    `weights: ${parts} has no checkpoint yet; train it first`,
  );
  await expect(exportRun(parts, join(root, "none"), { checkpoint: "best" })).rejects.toThrow(
    `weights: ${parts} has no checkpoint that was validated yet; train it first`,
  );
  expect(readdirSync(root).filter((name) => /none|\.tmp$/.test(name))).toEqual([]);

  const strange = join(root, "strange.safetensors");
  await writeSafetensors(strange, { a: tf.tensor1d([1]) }, { metadata: { format: "pt" } });
  await expect(weightsFrom(strange)).rejects.toThrow(
    `weights: expected the notes of kaggle export, format version 1, in ${strange} but got {"format":"pt"}`,
  );
  await expect(weightsFrom(data)).rejects.toThrow(
    `weights: expected a run, or what kaggle export wrote of one, but ${data} has neither run.json nor model.safetensors`,
  );
});
