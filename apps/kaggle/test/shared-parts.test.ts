/** Predictions that compute shared parts once are those of the network for every transform anew. */
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import { writeSynthetic } from "@gz/galaxies";
import { afterAll, expect, test } from "vitest";
import { computedTransforms, sharedParts } from "../src/prediction/shared-parts.ts";
import { loadRecipe, type Recipe } from "../src/recipe/recipe.ts";
import { temporaryFolder } from "./cli.ts";

const best = loadRecipe("best");
const conv = { filters: 4, size: 3, pool: true, std: 0.3, bias: 0.1 };
const dense = { units: 5, pieces: 2, dropout: 0.5, std: 0.3, bias: 0.1 };
/** The winner's network in small, with a dense layer of each part, on centred galaxies at two scales. */
const small = {
  ...best,
  input: {
    ...best.input,
    size: 25,
    span: [207, 150],
    centre: { threshold: 2, radius: 160, limit: 1.5 },
  },
  network: {
    kind: "parts",
    partSize: 16,
    conv: [conv, { ...conv, filters: 6 }],
    shared: [dense],
    dense: [dense],
    head: { dropout: 0.5, std: 0.3, bias: 0.1 },
  },
} satisfies Recipe;

const grids = {
  "the winner's 60": { grid: WINNER_TRANSFORMS, views: 30 },
  "more views than a batch holds": {
    grid: transforms({
      zooms: [0.9, 1, 1.1, 1.2, 1.3, 1.4],
      rotations: [0, 30, 60, 90, 120],
      flips: [false, true],
    }),
    views: 36,
  },
  "more rows than the dense layers take of three galaxies": {
    grid: Array.from({ length: 4 }, () => WINNER_TRANSFORMS).flat(),
    views: 30,
  },
  "quarter turns of moved galaxies": {
    grid: transforms({
      rotations: [0, 90],
      translations: [
        [0, 0],
        [3, -2],
        [3, -2],
      ],
    }),
    views: 4,
  },
};

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Outcome {
  shared: number[][];
  each: number[][];
  /** Tensors that are left when both are done, and when the first was left after an image. */
  leaked: number[];
}

/** Both ways in a process of its own: the threads that it starts run the built files. */
async function predict(): Promise<Record<keyof typeof grids, Outcome>> {
  const data = join(root, "galaxies");
  await writeSynthetic(data, { train: 12, test: 0, seed: 3 });
  const task = join(root, "task.json");
  writeFileSync(task, JSON.stringify({ data, recipe: small, grids }));
  const script = fileURLToPath(new URL("./fixtures/predict-both-ways.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, task], {
    env: { ...process.env, NODE_OPTIONS: "" },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

test("shared or not, the predictions are the same", { timeout: 60_000 }, async () => {
  const outcomes = await predict();
  for (const [name, { grid, views }] of Object.entries(grids)) {
    expect(sharedParts(small, grid)!.views, name).toHaveLength(views);
    const { shared, each, leaked } = outcomes[name as keyof typeof grids];
    expect(shared, name).toHaveLength(3);
    for (const [i, values] of shared.entries()) {
      expect(values).toHaveLength(grid.length * 37);
      expect(values, name).toBeAllClose(each[i]!, { atol: 1e-6, rtol: 0 });
    }
    // They do depend on the transform and on the image.
    const apart = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    expect(apart(each[0]!.slice(0, 37), each[0]!.slice(37, 74))).toBeGreaterThan(1e-4);
    expect(apart(each[0]!, each[1]!)).toBeGreaterThan(1e-4);
    expect(leaked, name).toEqual([0, 0]);
  }
});

test("nothing is shared by one view, by views that differ, and by networks that see views whole", () => {
  expect(sharedParts(best, transforms())).toBeUndefined();
  expect(sharedParts(best, transforms({ zooms: [1, 1.1, 1.2] }))).toBeUndefined();
  const modern = loadRecipe("modern");
  expect(sharedParts(modern, WINNER_TRANSFORMS)).toBeUndefined();
  expect(computedTransforms(modern, WINNER_TRANSFORMS)).toBe(15); // by its symmetries
  expect(computedTransforms(best, WINNER_TRANSFORMS)).toBe(15);
  expect(computedTransforms(best, transforms())).toBe(1);
});
