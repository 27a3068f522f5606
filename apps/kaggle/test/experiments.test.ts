/** `kaggle experiments`: variants beside their base, from several seeds, added to a folder that has some already. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDataset, readPredictions, writePredictions, writeSynthetic } from "@gz/galaxies";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseVariants, loadExperiments } from "../src/experiments/experiments-file.ts";
import { membersOf } from "../src/experiments/plan.ts";
import type { ExperimentsResult } from "../src/experiments/results.ts";
import { splitRows } from "../src/images/split.ts";
import { buildNetwork } from "../src/network/network.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";
import { openRun } from "../src/run/run.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
const data = join(root, "galaxies");
const out = join(root, "experiments");
beforeAll(() => tf.setBackend("cpu"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const writeJson = (name: string, value: object) => {
  const file = join(root, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
};

/** The names of a shipped file's variants, and the keys of their recipes that differ from the base's; all can be built. */
function changesOf(file: string): [string, string[]][] {
  const [base, ...others] = loadExperiments(file).variants;
  const { about: _, name: __, ...recipe } = base!.recipe;
  const parts = ["input", "augment", "network", "output"] as const;
  const changed = (key: (typeof parts)[number], other: typeof recipe) =>
    Object.keys({ ...recipe[key], ...other[key] }).filter(
      (name) =>
        JSON.stringify((other[key] as Record<string, unknown>)[name]) !==
        JSON.stringify((recipe[key] as Record<string, unknown>)[name]),
    );
  return others.map(({ name, recipe: other }) => {
    const { model } = buildNetwork(other, 1);
    expect(model.outputs[0]!.shape, name).toEqual([null, 37]);
    model.dispose();
    const { input, augment, network, output, ...rest } = other;
    expect({ ...recipe, ...rest, name: undefined, about: undefined }).toEqual({
      ...recipe,
      name: undefined,
      about: undefined,
    });
    return [name, parts.flatMap((key) => changed(key, other as typeof recipe))];
  });
}

test("the winner's: every variant can be built, and changes what it says and nothing else", () => {
  expect(changesOf("winner")).toEqual([
    ["softmax", ["normalize"]],
    ["shear", ["shear"]],
    ["gamma", ["color", "gamma"]],
    ["noise", ["noise"]],
    ["weak-noise", ["noise"]],
    ["multi-scale", ["span", "angles"]],
    ["finer", ["size", "partSize", "conv"]],
    ["overlapping", ["conv"]],
    ["contrast", ["scale", "offset", "contrast"]],
  ]);
});

test("those of modern, too", () => {
  expect(changesOf("modern")).toEqual([
    ["centred", ["centre"]],
    ["one-angle", ["angles"]],
    ["one-view", ["angles", "symmetries"]],
    ["wide-field", ["span"]],
    ["narrow-field", ["span"]],
    ["finer", ["size"]],
    ["squared-error", ["loss"]],
    ["no-dropout", ["head"]],
    ["divisive", ["normalize", "loss"]],
  ]);
});

test("the polar ones change the coordinates and nothing else", () => {
  const [base, polar, ...none] = loadExperiments("polar").variants;
  expect(none).toEqual([]);
  const { polar: coordinates, ...input } = polar!.recipe.input;
  expect(coordinates).toEqual({ angles: 64, radii: 32, wrap: 8 });
  const { name, about } = base!.recipe;
  expect({ ...polar!.recipe, input, name, about }).toEqual(base!.recipe);
});

test("some variants can be chosen; seeds come one after the other", () => {
  const chosen = chooseVariants(loadExperiments("winner"), ["noise", "shear"]);
  expect(membersOf(chosen, 2).map(({ name, seed }) => [name, seed])).toEqual([
    ["base-1", 1],
    ["shear-1", 1],
    ["noise-1", 1],
    ["base-2", 2],
    ["shear-2", 2],
    ["noise-2", 2],
  ]);
  expect(() => chooseVariants(loadExperiments("winner"), ["polar"])).toThrow(
    /experiments: expected some of base, softmax, .* for --only but got polar/,
  );
});

test("says what is wrong with experiments", () => {
  const base = { about: "Tiny.", recipe: { extends: "tiny" } };
  const variant = { name: "a", about: "A.", recipe: { batch: 8 } };
  const load = (value: object) => () => loadExperiments(writeJson("bad.json", value));
  const file = join(root, "bad.json");
  expect(() => loadExperiments("loser")).toThrow(
    "experiments: expected one of beyond, modern, polar, sizes, winner or a JSON file but got loser",
  );
  expect(load({ about: "x", base, variants: [] })).toThrow(
    `experiments: expected >=1 for variants in ${file} but got 0`,
  );
  expect(load({ about: "x", base, variants: [variant, variant] })).toThrow(
    `experiments: expected names of their own for variants in ${file} but got a twice`,
  );
  expect(load({ about: "x", base, variants: [{ ...variant, name: "base" }] })).toThrow(
    "base twice",
  );
  expect(load({ about: "x", base, variants: [{ ...variant, name: "a/b" }] })).toThrow(
    /for variants\.0\.name in .* but got "a\/b"/,
  );
  expect(load({ about: "x", base, variants: [{ ...variant, recipe: { btach: 8 } }] })).toThrow(
    `recipe: unknown key btach in ${file}`,
  );
  const pseudoLabels = { file: "none.csv" };
  expect(load({ about: "x", base, variants: [{ ...variant, pseudoLabels }] })).toThrow(
    `experiments: expected pseudo-labels of a in ${join(root, "none.csv")} but it is not there (in ${file})`,
  );
  expect(load({ about: "x", base, variants: [variant] })().variants[1]!.recipe).toEqual({
    ...loadRecipe("tiny"),
    name: "a",
    about: "A.",
    batch: 8,
  });
});

test("trains, compares in pairs, and adds seeds to what is there", {
  timeout: 400_000,
}, async () => {
  await writeSynthetic(data, { train: 40, test: 4, seed: 3 });
  const { testIds, labels: some, close } = await openDataset(data);
  await close();
  await writePredictions(join(root, "pseudo.csv"), testIds, some!.slice(0, 4 * 37));
  const file = writeJson("two.json", {
    about: "Two.",
    base: { about: "Tiny.", recipe: { extends: "tiny", batch: 8 } },
    variants: [
      { name: "shear", about: "Sheared.", reported: "neutral", recipe: { augment: { shear: 20 } } },
      { name: "pseudo", about: "Test images.", pseudoLabels: { file: "pseudo.csv", share: 0.25 } },
    ],
  });
  const fixed = ["--data", data, "--out", out, "--parallel", "1", "--backend", "wasm"];
  const run = (...more: string[]) =>
    kaggle(["experiments", file, ...fixed, ...more], {
      GZ_CACHE_DIR: join(root, "cache"),
    });
  const budget = ["--budget", "20-steps"];
  const first = await run(...budget, "--seeds", "1");
  expect(first.stderr).toContain("3 members, one after the other");
  expect([first.code, first.stdout]).toEqual([0, `${join(out, "experiments.md")}\n`]);
  const made = (name: string) =>
    statSync(join(out, "members", name, "predictions/valid.csv")).mtimeMs;
  const before = made("base-1");

  const { info } = openRun(join(out, "members", "pseudo-1"));
  expect(info.pseudoLabels).toMatchObject({ share: 0.25, weight: 1, from: 0, images: 4 });

  const second = await run(...budget, "--seeds", "2", "--only", "shear");
  expect(second.stderr).toContain("adding 2 runs to the 3 of");
  expect(second.code).toBe(0);
  expect(made("base-1")).toBe(before);
  const result = JSON.parse(
    readFileSync(join(out, "experiments.json"), "utf8"),
  ) as ExperimentsResult;
  const [base, shear] = result.variants;
  expect(base!.runs.map(({ seed, steps }) => [seed, steps])).toEqual([
    [1, 20],
    [2, 20],
  ]);
  const difference =
    shear!.runs.reduce((sum, { rmse }, i) => sum + rmse - base!.runs[i]!.rmse, 0) / 2;
  expect(shear!.difference!.mean).toBeCloseTo(difference, 12);
  expect(difference).not.toBe(0);
  expect(result.command).toBe(`npm run kaggle -- experiments ${file} --budget 20-steps --seeds 2`);

  // The score is that of the predictions that lie there.
  const { ids, values } = await readPredictions(join(out, "members/shear-2/predictions/valid.csv"));
  const dataset = await openDataset(data);
  const { train, valid } = splitRows(dataset.trainIds.length);
  expect([...ids]).toEqual(dataset.trainIds.slice(train));
  const labels = dataset.labels!.slice(train * 37);
  await dataset.close();
  const squares = values.reduce((sum, value, i) => sum + (value - labels[i]!) ** 2, 0);
  expect(shear!.runs[1]!.rmse).toBeCloseTo(Math.sqrt(squares / (37 * valid)), 6);
  expect(existsSync(join(out, "members/shear-2/predictions/test.csv"))).toBe(false);

  const page = readFileSync(join(out, "experiments.md"), "utf8");
  expect(page).toContain("| `shear` | ");
  expect(page).toContain("on 36 galaxies of");

  const other = await run("--budget", "30-steps", "--seeds", "2");
  expect([other.code, other.stderr]).toEqual([
    1,
    `error experiments: ${out} was begun with 20-steps for --budget; expected the same, or another --out, but got 30-steps\n`,
  ]);
});
