import { affineFromDraw, createRng } from "@gz/augment";
import * as ensemble from "@gz/ensemble";
import { expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";

test("exports these functions and no others", () => {
  expect(Object.keys(ensemble).sort()).toEqual([
    "WINNER_TRANSFORMS",
    "applyBlend",
    "blend",
    "chooseBlend",
    "createMean",
    "errorCorrelation",
    "leaveOneOut",
    "rmse",
    "transforms",
  ]);
});

test("the README's example runs as pasted and prints what it promises", async () => {
  const example = await readmeExample(new URL("../README.md", import.meta.url));
  expect(await runExample(example, { "@gz/ensemble": ensemble })).toMatchInlineSnapshot(`
    [
      "16 transforms, RMSE 0.0012",
      "uniform 0.1201 on unseen rows 0.1201",
      "pruned 0.0353 on unseen rows 0.0353",
      "greedy 0.0338 on unseen rows 0.0338",
      "shared 0.0338 on unseen rows 0.0338",
      "column 0.0338 on unseen rows 0.0338",
      "small is worth 0.0578 to the plain mean",
      "large is worth 0.0588 to the plain mean",
      "broken is worth -0.0848 to the plain mean",
      "weights 0.5 0.5 0",
      "RMSE 0.0353",
    ]
  `);
});

test("the winner's transforms are draws that @gz/augment turns into affines", () => {
  const size = { width: 424, height: 424 };
  const affines = ensemble.WINNER_TRANSFORMS.map((draw) => affineFromDraw(draw, size));
  // Zoom 1, no turn, plain and mirrored: entries 20 and 21.
  expect(affines[20]).toBeAllClose([1, 0, 0, 0, 1, 0]);
  expect(affines[21]![0]! * affines[21]![4]! - affines[21]![1]! * affines[21]![3]!).toBeCloseTo(-1);
  // A mean over rotations and mirrors sees the centre as it is.
  for (const [a, b, c, d, e, f] of affines)
    expect([a * 211.5 + b * 211.5 + c, d * 211.5 + e * 211.5 + f]).toBeAllClose([211.5, 211.5]);
});

test("60 transforms of 3 models, blended, pruned and applied to new rows", () => {
  const columns = 3;
  const truth = (rows: number, seed: number) => {
    const rng = createRng(seed);
    return Float32Array.from({ length: rows * columns }, () => rng.uniform(0, 1));
  };
  const labels = truth(300, 1);
  const unseenLabels = truth(100, 2);
  // A model errs in its own way, and a little differently under each transform.
  const predict = (y: Float32Array, seed: number) =>
    [0.05, 0.06, 0.4].map((error, model) => {
      const rng = createRng(seed, model);
      const own = y.map((v) => v + rng.normal(0, error));
      const mean = ensemble.createMean(y.length);
      for (const _ of ensemble.WINNER_TRANSFORMS) mean.add(own.map((v) => v + rng.normal(0, 0.02)));
      return { name: `model ${model}`, values: mean.value() };
    });
  const members = predict(labels, 3);
  const { names, weights } = ensemble.blend(members, labels, { columns, weights: "pruned" });
  expect(names.filter((_, i) => weights[0]![i]! > 0)).toEqual(["model 0", "model 1"]);
  const values = ensemble.leaveOneOut(members, labels, { columns });
  expect(values.map(({ crossValidatedValue }) => crossValidatedValue > 0)).toEqual([
    true,
    true,
    false,
  ]);
  const found = ensemble.blend(members.slice(0, 2), labels, { columns, weights: "shared" });
  const unseen = predict(unseenLabels, 4);
  const score = ensemble.rmse(ensemble.applyBlend(found, unseen), unseenLabels);
  const single = unseen.map(({ values }) => ensemble.rmse(values, unseenLabels));
  expect(score).toBeLessThan(Math.min(...single));
  expect(score).toBeCloseTo(found.crossValidatedRmse, 2);
});
