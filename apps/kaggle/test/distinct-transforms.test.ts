import { createRng, identityDraw } from "@gz/augment";
import { transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import { renderGalaxy, sampleGalaxy } from "@gz/galaxies";
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { inputLength, inputShape, writeInput } from "../src/images/input.ts";
import { initialize } from "../src/network/initialize.ts";
import { buildNetwork } from "../src/network/network.ts";
import { distinctTransforms } from "../src/prediction/distinct-transforms.ts";
import { loadRecipe, type Recipe } from "../src/recipe/recipe.ts";

const modern = loadRecipe("modern");

/** The default recipe in small, with symmetries or without. */
function recipeWith(symmetries: boolean, angles: number[] = [0], size = 16): Recipe {
  const { network } = modern;
  if (network.kind !== "residual") throw new Error("expected modern to be a residual network");
  const stages = [{ filters: 6, blocks: 1, stride: 2 as const }];
  const stem = { ...network.stem, filters: 4 };
  return {
    ...modern,
    input: { ...modern.input, size, angles },
    network: { ...network, stem, stages, symmetries },
  };
}

test("of the winner's 60 transforms a network of symmetries sees 15, at one angle and at two", () => {
  for (const angles of [[0], [0, 45]]) {
    const { distinct, of } = distinctTransforms(recipeWith(true, angles), WINNER_TRANSFORMS);
    expect(distinct).toHaveLength(15);
    for (let k = 0; k < 15; k++) expect(of.filter((at) => at === k)).toHaveLength(4);
  }
});

test("every other network sees them all, in their order", () => {
  for (const recipe of [recipeWith(false), loadRecipe("best")]) {
    const { distinct, of } = distinctTransforms(recipe, WINNER_TRANSFORMS);
    expect(distinct).toBe(WINNER_TRANSFORMS);
    expect(of).toEqual(WINNER_TRANSFORMS.map((_, t) => t));
  }
});

test("a shift, a shear or a zoom apart, transforms are others", () => {
  const { distinct } = distinctTransforms(recipeWith(true), [
    identityDraw,
    { ...identityDraw, rotation: 90, flip: true }, // the same
    { ...identityDraw, rotation: 90, translation: [1, 0] },
    { ...identityDraw, rotation: 90, zoom: 1.01 },
    { ...identityDraw, shear: 5 },
    { ...identityDraw, rotation: 45 },
    { ...identityDraw, rotation: -45 }, // the same as 45
  ]);
  expect(distinct).toHaveLength(5);
});

test.for([[[0]], [[0, 45]]])(
  "predictions under all are those under the distinct ones, angles %j",
  async ([angles]) => {
    await tf.setBackend("cpu");
    const recipe = recipeWith(true, angles);
    const network = buildNetwork(recipe, 1);
    initialize(network, recipe, 1, new Float32Array(37).fill(0.3));
    // A head that tells galaxies apart.
    const head = network.model.getLayer("head");
    const [kernel, bias] = head.getWeights();
    head.setWeights([tf.mul(kernel!, 200), bias!]);
    const half = renderGalaxy(sampleGalaxy(createRng(3)), { size: 212, rng: createRng(4) });
    const all = transforms({
      zooms: [1, 1.3],
      rotations: [0, 36, 90, 126, 324],
      flips: [false, true],
    });
    const length = inputLength(recipe);
    const views = new Float32Array(all.length * length);
    all.forEach((draw, t) => {
      writeInput(recipe, half, views.subarray(t * length, (t + 1) * length), draw);
    });
    const outputs = network.model.predict(
      tf.tensor(views, inputShape(recipe, all.length)),
    ) as tf.Tensor2D;
    const rows = await outputs.array();
    const { distinct, of } = distinctTransforms(recipe, all);
    expect(distinct.length).toBeLessThan(all.length / 2);
    all.forEach((_, t) => {
      const twin = rows[all.indexOf(distinct[of[t]!]!)]!;
      expect(rows[t]).toBeAllClose(twin, { atol: 1e-6 });
    });
    // They are not all alike: another zoom or turn gives another prediction.
    const first = rows[0]!;
    const spread = Math.max(...rows.flatMap((row) => row.map((p, k) => Math.abs(p - first[k]!))));
    expect(spread).toBeGreaterThan(1e-4);
  },
);
