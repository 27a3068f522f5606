/** The winner's 17 networks, and what a recipe or an ensemble says when something is wrong with it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildNetwork } from "../src/network/network.ts";
import { loadRecipe, recipeNames } from "../src/recipe/recipe.ts";
import { loadEnsemble } from "../src/reproduce/members.ts";
import { endClip, phasesOf } from "../src/training/from-recipe.ts";
import { temporaryFolder } from "./cli.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const root = temporaryFolder();
beforeAll(() => tf.setBackend("cpu")); // its zeros are not written until they are used: 76 million cost nothing
afterAll(() => rmSync(root, { recursive: true, force: true }));

const writeJson = (name: string, value: object) => {
  const file = join(root, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
};

/** Parameters of each in the published table, and what its photometry detects at. */
const PUBLISHED: Record<string, [parameters: number, threshold?: number]> = {
  best: [42_377_125],
  "maxout2048-extradense-big256": [76_081_061],
  "maxout2048-extradense-pysex": [42_377_125, 2],
  "maxout2048-extradense-pysexgen1": [42_377_125, 10],
  maxout2048: [33_984_421],
  "maxout2048-pysex": [33_984_421, 2],
  "8433n-maxout2048": [33_963_685],
  "8433n-maxout2048-extradense": [42_356_389],
  "8433n-maxout2048-pysex": [33_963_685, 2],
  "8433n-maxout2048-extradense-pysex": [42_356_389, 2],
  bigger: [50_912_165],
  pysex: [34_060_197, 2],
  normconstraint: [42_377_125],
  shareddense: [17_469_861],
  shareddense512: [34_509_733],
};

test.each(Object.entries(PUBLISHED))("%s has %i parameters", (name, [parameters, threshold]) => {
  const recipe = loadRecipe(name);
  const { model } = buildNetwork(recipe, 1);
  expect(model.countParams()).toBe(parameters);
  model.dispose();
  expect(readme).toMatch(
    new RegExp(`\\| \`${name}\` \\|.*\\| ${parameters.toLocaleString("en")} \\|`),
  );
  const centre = threshold && { threshold, radius: 160, limit: 1.5 };
  expect(recipe.input.centre).toEqual(centre);
});

test("the winner's ensemble has his 17 networks, two of them re-runs with other seeds", () => {
  const { members } = loadEnsemble("winner");
  expect(members.map(({ recipe }) => recipe.name)).toEqual(
    Object.keys(PUBLISHED).flatMap((name) =>
      ["best", "maxout2048-extradense-pysexgen1"].includes(name) ? [name, name] : [name],
    ),
  );
  expect(new Set(members.map(({ seed }) => seed)).size).toBe(17);
  expect(members[1]!.name).toBe("best-2");
});

test("every recipe that ships can be built", () => {
  for (const name of recipeNames()) {
    const { model } = buildNetwork(loadRecipe(name), 1);
    expect(model.outputs[0]!.shape, name).toEqual([null, 37]);
    model.dispose();
  }
});

test("what a file extends, or lists, is looked for beside it", () => {
  writeJson("narrow.json", { extends: "shareddense", batch: 8 });
  const recipe = loadRecipe(writeJson("narrower.json", { extends: "narrow.json", chunk: 100 }));
  expect(recipe).toEqual({ ...loadRecipe("shareddense"), name: "narrower", batch: 8, chunk: 100 });
  const ensemble = { about: "Two.", members: [{ recipe: "narrow.json", seed: 4 }] };
  const { members } = loadEnsemble(writeJson("two.json", ensemble));
  expect(members).toEqual([
    { name: "narrow", recipe: loadRecipe(join(root, "narrow.json")), seed: 4 },
  ]);
});

test.each([
  [
    "a convolution larger than its input",
    { network: { partSize: 26 } },
    "layer conv4 (on 2 x 2 x 128): nothing is left of it (0 x 0 x 128)",
  ],
  [
    "parts larger than a view",
    { network: { partSize: 70 } },
    "layer parts (on 2 x 69 x 69 x 3): splitParts: expected views of at least 70 x 70 pixels but got 69 x 69",
  ],
])("%s is an error that names the layer and its input", (_, changes, message) => {
  const file = writeJson("bad.json", { extends: "best", ...changes });
  expect(() => buildNetwork(loadRecipe(file), 1)).toThrow(
    `recipe bad: the network cannot be built at ${message}`,
  );
});

test("says what is wrong with an ensemble", () => {
  expect(() => loadEnsemble("loser")).toThrow(
    "reproduce: expected one of brief, small, winner or a JSON file for --members but got loser",
  );
  const none = writeJson("none.json", { about: "Nobody.", members: [] });
  expect(() => loadEnsemble(none)).toThrow(
    `reproduce: expected >=1 for members in ${none} but got 0`,
  );
  const bad = writeJson("bad-seed.json", { about: "", members: [{ recipe: "best", seed: "1" }] });
  expect(() => loadEnsemble(bad)).toThrow(
    `reproduce: expected number for members.0.seed in ${bad} but got "1"`,
  );
});

test("what is extended and is not there is named with the file that extends it", () => {
  const file = writeJson("orphan.json", { extends: "nobody" });
  expect(() => loadRecipe(file)).toThrow(`or a JSON file for extends in ${file} but got nobody`);
  expect(() => loadRecipe(writeJson("orphan.json", { extends: 5 }))).toThrow("but got 5");
});

const phases = (...args: Parameters<typeof phasesOf>) =>
  phasesOf(...args).map(({ name, fromStep }) => [name, fromStep]);

test("the clip-only phase is for heads that do not know the tree yet", () => {
  const best = loadRecipe("best");
  const clip = (steps: number) => [
    ["clip", 0],
    ["normal", steps],
  ];
  expect(phases(best, 1_562_500)).toEqual(clip(625));
  expect(phases(best, 104)).toEqual(clip(20));
  expect(phases(best, 4)).toEqual([["normal", 0]]);
  expect(phases(best, 1_562_500, { trainedHead: true })).toEqual([["normal", 0]]);
  // A later start goes by what its checkpoint says.
  expect(phases(best, 1_562_500, { clipSteps: 20 })).toEqual(clip(20));
  expect(phases(best, 1_562_500, { clipSteps: 0 })).toEqual([["normal", 0]]);
});

test("the clip-only phase ends when a fifth of the run is over, by the clock too", () => {
  const best = loadRecipe("best");
  const byTheClock = phasesOf(best, Number.MAX_SAFE_INTEGER);
  endClip(byTheClock, 30, 0.19);
  expect(byTheClock[1]!.fromStep).toBe(625);
  endClip(byTheClock, 31, 0.21);
  endClip(byTheClock, 32, 0.22);
  expect(byTheClock[1]!.fromStep).toBe(31);
  // By steps it is over before.
  for (const steps of [5, 9, 10, 104, 3_125, 1_562_500]) {
    const bySteps = phasesOf(best, steps);
    const { fromStep } = bySteps.at(-1)!;
    for (let step = 1; step <= Math.min(steps, 700); step++) endClip(bySteps, step, step / steps);
    expect(bySteps.at(-1)!.fromStep).toBe(fromStep);
  }
});
