/** Training from trained weights: whence they come, what is kept, what does not fit; also with questions of one's own. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDataset, readPredictions, writeSynthetic } from "@gz/galaxies";
import { loadCheckpoint, type SavedState } from "@gz/train";
import { afterAll, beforeAll, expect, test } from "vitest";
import { weightsOfRun } from "../src/network/trained-weights.ts";
import { openRun } from "../src/run/run.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
const own = join(root, "own");
const source = join(root, "source");
const other = join(root, "other");
const TREE = [
  { name: "kind", answers: ["star", "galaxy"] },
  { name: "merging", answers: ["merging", "alone"], parents: ["galaxy"] },
];
const COLUMNS = ["star", "galaxy", "merging", "alone"];

const recipe = (name: string, changes: object) => {
  const file = join(root, `${name}.json`);
  writeFileSync(file, JSON.stringify({ extends: SMALLEST, ...changes }));
  return file;
};
const train = (out: string, ...more: string[]) =>
  kaggle(
    [
      ...["train", "--out", out, "--backend", "wasm", "--workers", "1", "--checkpoint-steps", "2"],
      ...(more.includes("--data") ? [] : ["--data", data]),
      ...(more.includes("--steps") || more.includes("--resume") ? [] : ["--steps", "2"]),
      ...more,
    ],
    env,
  );
const trained = async (out: string, ...more: string[]) => {
  const { code, stderr } = await train(out, ...more);
  expect(code, stderr).toBe(0);
};
const atStep = async (out: string, step: number): Promise<SavedState> =>
  (await loadCheckpoint(join(out, "checkpoints", `step-0000000${step}`))).weights;

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 6, seed: 5 });
  const { trainIds } = await openDataset(data);
  mkdirSync(own);
  symlinkSync(join(data, "images_training_rev1"), join(own, "images"));
  symlinkSync(join(data, "images_test_rev1"), join(own, "test"));
  const rows = trainIds.map(
    (id, i) => `${id},${i % 2 ? "0.25,0.75,0.5,0.25" : "0.75,0.25,0,0.25"}`,
  );
  writeFileSync(join(own, "labels.csv"), `GalaxyID,${COLUMNS.join()}\n${rows.join("\n")}\n`);
  writeFileSync(join(root, "questions.json"), JSON.stringify(TREE));
  await trained(source, "--recipe", SMALLEST, "--steps", "4");
  const questions = recipe("own", { output: { tree: "questions.json" } });
  await trained(other, "--from", source, "--recipe", questions, "--data", own);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("starts from the moving average of the run's weights, head and all, with its recipe, and says so in run.json", async () => {
  const out = join(root, "same");
  await trained(out, "--from", source, "--seed", "7");
  const { tensors } = await weightsOfRun(openRun(source));
  const { average } = await loadCheckpoint(join(source, "checkpoints", "step-00000004"));
  expect(tensors["stem/kernel"]).toEqual(average!["stem/kernel"]);
  expect(await atStep(out, 0)).toEqual(tensors);
  expect((await atStep(out, 2))["stem/kernel"]).not.toEqual(tensors["stem/kernel"]);
  expect(openRun(out).recipe).toEqual(openRun(source).recipe);
  expect(openRun(out).info.from).toEqual({
    path: source,
    recipe: "smallest",
    step: 4,
    head: "kept",
  });
});

test("another tree: the body is kept, the head starts at the mean label of the new questions", async () => {
  const { tensors } = await weightsOfRun(openRun(source));
  const weights = await atStep(other, 0);
  expect(Object.keys(weights)).toEqual(Object.keys(tensors));
  for (const name of Object.keys(tensors).filter((name) => !name.startsWith("head/")))
    expect(weights[name], name).toEqual(tensors[name]);
  const kernel = weights["head/kernel"]!;
  expect(kernel.shape).toEqual([8, 4]);
  const spread = Math.sqrt(
    [...kernel.data].reduce((sum, w) => sum + w * w, 0) / kernel.data.length,
  );
  expect(spread).toBeGreaterThan(0.005); // drawn with the recipe's 0.01
  expect(spread).toBeLessThan(0.02);
  // 36 rows train, 18 of either kind: half of the votes are for a star; of the other half, half say merging.
  expect(weights["head/bias"]!.data).toBeAllClose([0.5, 0.5, 0.5, 0.5].map(Math.log), {
    atol: 1e-6,
  });
  expect(openRun(other).info.from?.head).toBe("replaced");
  expect(openRun(other).recipe.output.tree).toEqual(TREE);
});

test("a run of one's own questions predicts and blends their columns", async () => {
  const options = ["--split", "all", "--transforms", "1", "--backend", "wasm"];
  const predicted = await kaggle(["predict", "--run", other, ...options], env);
  expect(predicted.code, predicted.stderr).toBe(0);
  for (const split of ["valid", "test"]) {
    const file = join(other, "predictions", `${split}.csv`);
    const { ids, values } = await readPredictions(file, { columns: COLUMNS });
    expect(ids).toHaveLength(split === "valid" ? 4 : 6);
    for (let i = 0; i < values.length; i += 4) {
      expect(values[i]! + values[i + 1]!).toBeCloseTo(1, 5);
      expect(values[i + 2]! + values[i + 3]!).toBeCloseTo(values[i + 1]!, 5);
    }
  }
  const out = join(root, "own.csv");
  const blended = await kaggle(["blend", "--out", out, "--labels", own, other], env);
  expect(blended.code, blended.stderr).toBe(0);
  const member = join(other, "predictions", "test.csv");
  expect(readFileSync(out, "utf8")).toBe(readFileSync(member, "utf8"));
});

test("labels of one's own have errors as Kaggle's have, by file, row and column", async () => {
  const broken = join(root, "broken");
  mkdirSync(broken);
  symlinkSync(join(own, "images"), join(broken, "images"));
  const lines = readFileSync(join(own, "labels.csv"), "utf8").split("\n");
  lines[7] = lines[7]!.replace(/,[^,]+$/, ",banana");
  writeFileSync(join(broken, "labels.csv"), lines.join("\n"));
  const questions = join(root, "own.json");
  const { code, stderr } = await train(join(root, "no"), "--recipe", questions, "--data", broken);
  expect(code).toBe(1);
  expect(stderr).toContain('labels.csv row 8: expected a number for alone but got "banana"');
  const prepared = await kaggle(["prepare", "--data", broken, "--recipe", questions], env);
  expect(prepared.stdout).toMatch(/labels\.csv:8 +\d+ +expected a number for alone/);
});

test("a run that was stopped before its first checkpoint starts from the same weights again", async () => {
  const [first, second] = [await atStep(other, 0), await atStep(other, 2)];
  rmSync(join(other, "checkpoints"), { recursive: true });
  await trained(other, "--resume", "--data", own);
  expect(await atStep(other, 0)).toEqual(first);
  expect(await atStep(other, 2)).toEqual(second);
  expect(second["stem/kernel"]).not.toEqual(first["stem/kernel"]);
});

test("weights that do not fit: layer and both shapes are named, and nothing is left behind", async () => {
  const out = join(root, "fits");
  const wide = recipe("wide", { network: { stem: { filters: 12, size: 3, stride: 2 } } });
  const wider = await train(out, "--from", source, "--recipe", wide);
  expect(wider.stderr).toContain(
    `weights: expected [3, 3, 3, 12] for layer stem (stem/kernel), as recipe wide has it, but ${source} (recipe smallest) has [3, 3, 3, 8]`,
  );
  const deep = recipe("deep", { network: { stages: [{ filters: 8, blocks: 2, stride: 2 }] } });
  const deeper = await train(out, "--from", source, "--recipe", deep);
  expect(deeper.stderr).toContain(
    `weights: expected [3, 3, 8, 8] for layer stage1_block2_conv1 (stage1_block2_conv1/kernel), as recipe deep has it, but ${source} (recipe smallest) has none`,
  );
  expect(existsSync(join(out, "recipe.json"))).toBe(false);
  await trained(out, "--recipe", deep); // the folder is free
  const shallower = await train(join(root, "no"), "--from", out, "--recipe", SMALLEST);
  expect(shallower.stderr).toContain(
    `weights: expected nothing for layer stage1_block2_conv1 (stage1_block2_conv1/kernel), as recipe smallest has it, but ${out} (recipe deep) has [3, 3, 8, 8]`,
  );
});

test("what weights cannot come from is refused", async () => {
  const from = async (path: string, ...more: string[]) =>
    (await train(join(root, "no"), "--from", path, ...more)).stderr;
  expect(await from(join(root, "nowhere"))).toContain(
    `weights: expected a run, or what kaggle export wrote of one, but ${root}/nowhere is not there`,
  );
  expect(await from(source, "--resume")).toContain("expected --from or --resume");
  rmSync(join(other, "checkpoints"), { recursive: true });
  expect(await from(other, "--data", own)).toContain(
    `weights: ${other} has no checkpoint yet; train it first`,
  );
});
