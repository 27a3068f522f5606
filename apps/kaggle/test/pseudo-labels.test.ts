/** Learning from test images: which labels, in which batches, with what weight; and that a run with them goes on. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLUMNS, type Dataset, openDataset, writeSynthetic } from "@gz/galaxies";
import { loadCheckpoint } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportRun } from "../src/export/export.ts";
import { inputLength, trainingDraw, writeInput } from "../src/images/input.ts";
import { mixedBatch, trainingOrder } from "../src/images/order.ts";
import { openPixels, type PixelSource } from "../src/images/pixels.ts";
import { checkRecipe, loadRecipe } from "../src/recipe/recipe.ts";
import { writeReport } from "../src/report/report.ts";
import { openRun } from "../src/run/run.ts";
import { trainingBatches } from "../src/training/batches.ts";
import { trainingLoss } from "../src/training/loss.ts";
import { mixtureOf, pseudoLabelsOf, readPseudoLabels } from "../src/training/pseudo-labels.ts";
import { kaggle, temporaryFolder } from "./cli.ts";
import { hasNative } from "./has-native.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
let dataset: Dataset;

/** A table as `kaggle blend` writes it, of these lines. */
function table(name: string, lines: readonly string[], columns: readonly string[] = COLUMNS) {
  const file = join(root, `${name}.csv`);
  writeFileSync(file, `GalaxyID,${columns.join()}\n${lines.join("\n")}\n`);
  return file;
}
const even = COLUMNS.map(() => "0.5").join();
/** One that says the same of every test image. */
const evenTable = (name: string) =>
  table(
    name,
    dataset.testIds.map((id) => `${id},${even}`),
  );

beforeAll(async () => {
  await writeSynthetic(data, { train: 40, test: 6, seed: 5 });
  dataset = await openDataset(data);
  await tf.setBackend("cpu");
});
afterAll(async () => {
  await dataset.close();
  rmSync(root, { recursive: true, force: true });
});

test("a batch is labelled images first, then pseudo-labelled ones from their step on", () => {
  const mixture = { batch: 10, pseudo: 3, fromStep: 2 };
  expect([0, 1, 2, 3, 4].map((step) => mixedBatch(mixture, step))).toEqual([
    { labelled: 10, firstLabelled: 0, firstPseudo: 0 },
    { labelled: 10, firstLabelled: 10, firstPseudo: 0 },
    { labelled: 7, firstLabelled: 20, firstPseudo: 0 },
    { labelled: 7, firstLabelled: 27, firstPseudo: 3 },
    { labelled: 7, firstLabelled: 34, firstPseudo: 6 },
  ]);
  const positive = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(positive, positive, fc.nat(5), (labelled, pseudo, fromStep) => {
      // Either stream is gone through without a gap, whatever the step at which they are mixed.
      let [nextLabelled, nextPseudo] = [0, 0];
      for (let step = 0; step < 10; step++) {
        const batch = mixedBatch({ batch: labelled + pseudo, pseudo, fromStep }, step);
        expect(batch.firstLabelled).toBe(nextLabelled);
        expect(batch.firstPseudo).toBe(nextPseudo);
        nextLabelled += batch.labelled;
        nextPseudo += labelled + pseudo - batch.labelled;
      }
    }),
  );
});

test("share and schedule become images and a step; what leaves none of a kind, or asks the clock, is refused", () => {
  const of = (share: number, from: number, budget: Parameters<typeof mixtureOf>[2]) =>
    mixtureOf({ batch: 32 }, { share, from, weight: 1 }, budget);
  expect(of(0.33, 0.4, { steps: 1001 })).toEqual({ batch: 32, pseudo: 11, fromStep: 401 });
  expect(of(0.5, 0, { minutes: 3 })).toEqual({ batch: 32, pseudo: 16, fromStep: 0 });
  expect(mixtureOf({ batch: 32 }, undefined, { steps: 9 }).pseudo).toBe(0);
  for (const share of [0.01, 0.99])
    expect(() => of(share, 0, { steps: 9 })).toThrow(
      `at least one image of a batch of 32, and not all, for --pseudo-share but got ${share}`,
    );
  expect(() => of(0.33, 0.5, { minutes: 3 })).toThrow(
    "expected a budget of --steps for --pseudo-from 0.5 but got 3 minutes",
  );
});

test("labels are the file's, brought to agree with the tree", async () => {
  const tree = [
    { name: "kind", answers: ["star", "galaxy"] },
    { name: "merging", answers: ["merging", "alone"], parents: ["galaxy"] },
  ];
  const recipe = loadRecipe(SMALLEST);
  const own = checkRecipe({ ...recipe, output: { ...recipe.output, tree } }, "test");
  const [first, second, third] = dataset.testIds as [number, number, number];
  const columns = ["star", "galaxy", "merging", "alone"];
  const lines = [`${third},0.3,0.9,0.2,0.2`, `${first},0,1,0,0`, `${second},0.25,0.75,0.5,0.25`];
  const { images, labels } = await readPseudoLabels(table("own", lines, columns), dataset, own);
  expect([...images]).toEqual([2, 0, 1]);
  expect(labels).toBeAllClose([
    ...[0.25, 0.75, 0.375, 0.375], // 0.3 + 0.9 is 1.2; then 0.2 + 0.2 are brought to 0.75
    ...[0, 1, 0, 0], // nothing was expected of the second question
    ...[0.25, 0.75, 0.5, 0.25], // agreed already
  ]);
});

test("what is no prediction of a test image is refused by file and row", async () => {
  const recipe = loadRecipe(SMALLEST);
  const { testIds, trainIds } = dataset;
  const refused = (file: string) =>
    readPseudoLabels(file, dataset, recipe).then(
      () => "read",
      (error: Error) => error.message,
    );
  const rows = (...ids: (number | undefined)[]) => ids.map((id) => `${id},${even}`);
  expect(await refused(join(root, "no.csv"))).toContain(`but ${root}/no.csv is not there`);
  expect(await refused(table("none", []))).toContain("none.csv has no rows");
  const seen = table("seen", rows(testIds[0], trainIds.at(-1)));
  expect(await refused(seen)).toBe(
    `train: expected ids of galaxies's test images in ${seen} but row 3 is ${trainIds.at(-1)}, one that has labels`,
  );
  expect(await refused(table("strange", rows(testIds[1], testIds[0], 7)))).toMatch(
    /strange\.csv but row 4 is 7, of none of its images$/,
  );
  const outside = [...rows(testIds[0]), `${testIds[1]},${even.replace(/0\.5$/, "1.5")}`];
  expect(await refused(table("outside", outside))).toMatch(
    /outside\.csv but row 3 has 1\.5 for Class11\.6$/,
  );
  const untested = await readPseudoLabels(seen, { ...dataset, testIds: [] }, recipe).catch(String);
  expect(untested).toContain(`seen.csv but row 2 is ${testIds[0]}, of none of its images`);
  expect(await refused(table("header", [], ["a", "b"]))).toContain(
    "header.csv row 1: expected the header",
  );
});

test("the loss is the weighted mean over rows, its gradient too; the score is that of labelled rows", async () => {
  const ys = tf.tensor2d([0.2, 0.8, 0.5, 0.5, 1, 0], [3, 2]);
  const predictions = tf.tensor2d([0.4, 0.6, 0.2, 0.8, 0.9, 0.1], [3, 2]);
  const tree = [{ name: "kind", answers: ["a", "b"] }];
  const weights = [1, 0.25, 0.25];
  const total = 1.5;
  const rowsOf = (of: (label: number, output: number) => number) => {
    const [t, y] = [ys.arraySync(), predictions.arraySync()];
    return t.map((row, i) => row.reduce((sum, label, k) => sum + of(label, y[i]![k]!), 0));
  };
  const mean = (values: number[]) =>
    values.reduce((sum, value, i) => sum + (weights[i]! * value) / total, 0);

  const squared = trainingLoss({ loss: "squared-error" }, tree, { pseudoWeight: 0.25 });
  squared.setLabelled(1);
  const error = (x: tf.Tensor) => squared.lossFn(ys, x).asScalar();
  expect(error(predictions).dataSync()).toBeAllClose([mean(rowsOf((t, y) => (t - y) ** 2 / 2))]);
  expect(await squared.squaredError()).toBeCloseTo(0.04, 6);
  const gradient = tf.grad(error)(predictions).dataSync();
  const expected = predictions
    .sub(ys)
    .mul(
      tf.tensor2d(
        weights.map((weight) => weight / total),
        [3, 1],
      ),
    )
    .dataSync();
  expect(gradient).toBeAllClose(expected);

  const entropy = trainingLoss({ loss: "cross-entropy" }, tree, { pseudoWeight: 0.25 });
  entropy.setLabelled(1);
  expect(entropy.lossFn(ys, predictions).dataSync()).toBeAllClose(
    [mean(rowsOf((t, y) => -t * Math.log(y)))],
    { rtol: 1e-4 }, // 1e-6 stands beside each fraction
  );
  expect(await entropy.squaredError()).toBeCloseTo(0.04, 6);
  // With all rows labelled it is the plain mean.
  squared.setLabelled(3);
  expect(error(predictions).dataSync()).toBeAllClose(
    tf.losses.meanSquaredError(ys, predictions).dataSync(),
  );
});

test("test images come in with their own labels, validation images never", async () => {
  const recipe = { ...loadRecipe(SMALLEST), batch: 5 };
  recipe.input = { ...recipe.input, shrink: 1 };
  const source = (split: "train" | "test"): PixelSource => ({
    kind: "images",
    dataset: dataset.describe(),
    split,
  });
  const [rows, columns, width] = [36, COLUMNS.length, inputLength(recipe)];
  const labels = dataset.labels!.slice(0, rows * columns);
  const images = Uint32Array.of(5, 1, 3);
  const soft = Float32Array.from({ length: images.length * columns }, (_, i) => 100 + i);
  const train = openPixels(source("train"));
  const fill = trainingBatches(recipe, train, {
    kind: "train",
    seed: 9,
    rows,
    labels,
    mixture: { batch: 5, pseudo: 2, fromStep: 1 },
    pseudo: { pixels: source("test"), images, labels: soft },
  });
  const order = trainingOrder(9, rows);
  const softOrder = trainingOrder(9, images.length, undefined, 1);
  const other = await openPixels(source("test"));
  const [xs, ys] = [new Float32Array(5 * width), new Float32Array(5 * columns)];
  const expected = new Float32Array(width);
  const used: number[] = [];
  for (const step of [0, 1, 2, 3]) {
    await fill(step, xs, ys);
    for (let slot = 0; slot < 5; slot++) {
      const isSoft = step >= 1 && slot >= 3;
      const index = isSoft
        ? softOrder(2 * (step - 1) + slot - 3)
        : order(step === 0 ? slot : 5 + 3 * (step - 1) + slot);
      if (isSoft) used.push(index);
      const { draw, pixels } = trainingDraw(recipe, 9, step, slot);
      const image = await (isSoft ? other.read(images[index]!) : (await train).read(index));
      writeInput(recipe, image, expected, draw, pixels);
      expect(xs.subarray(slot * width, (slot + 1) * width)).toEqual(expected);
      expect(ys.subarray(slot * columns, (slot + 1) * columns)).toEqual(
        (isSoft ? soft : labels).subarray(index * columns, (index + 1) * columns),
      );
    }
  }
  expect(used.slice(0, 3).sort()).toEqual([0, 1, 2]);
  expect(used.slice(3).sort()).toEqual([0, 1, 2]);
});

test("a run with pseudo-labels goes on bit for bit without their file, and says what it had", async () => {
  const labels = await openDataset(data).then((d) => d.labels!);
  const lines = dataset.testIds.map(
    (id, i) => `${id},${labels.slice(i * COLUMNS.length, (i + 1) * COLUMNS.length).join()}`,
  );
  const file = table("blend", lines);
  const text = readFileSync(file, "utf8");
  const run = join(root, "run");
  const train = async (...more: string[]) => {
    const outcome = await kaggle(
      ["train", "--data", data, "--backend", "wasm", "--workers", "1", ...more],
      env,
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    return outcome.stderr;
  };
  const fresh = ["--recipe", SMALLEST, "--steps", "8", "--checkpoint-steps", "2"];
  const pseudo = ["--pseudo-labels", file, "--pseudo-weight", "0.5", "--pseudo-from", "0.8"];
  const said = await train("--out", run, ...fresh, ...pseudo);
  expect(said).toContain(
    "pseudo-labels of 6 test images: 3 of 8 in a batch from step 7 on, each at weight 0.5",
  );
  const recorded = { file, images: 6, share: 0.33, weight: 0.5, from: 0.8 };
  expect(openRun(run).info.pseudoLabels).toEqual(recorded);
  expect(readFileSync(pseudoLabelsOf(run), "utf8")).toBe(text);

  // Stopped before they came in, and the file replaced by another blend.
  const stopped = join(root, "stopped");
  cpSync(run, stopped, { recursive: true });
  rmSync(join(stopped, "checkpoints", "step-00000008"), { recursive: true });
  evenTable("blend");
  await train("--out", stopped, "--resume");
  const weights = async (folder: string) =>
    (await loadCheckpoint(join(folder, "checkpoints", "step-00000008"))).weights;
  expect(await weights(stopped)).toEqual(await weights(run));

  // Other labels make other weights.
  const others = join(root, "others");
  await train("--out", others, ...fresh, ...pseudo);
  expect((await weights(others))["stem/kernel"]).not.toEqual((await weights(run))["stem/kernel"]);

  await exportRun(run, join(run, "export"));
  expect(readFileSync(join(run, "export", "README.md"), "utf8")).toContain(
    "| pseudo-labels | 6 images without labels, by predictions of them (`blend.csv`): 0.33 of a batch from 0.8 of the steps on, weight 0.5 |",
  );
  const page = join(root, "report.html");
  await writeReport({ runs: [run], out: page, data, blend: undefined });
  const report = readFileSync(page, "utf8");
  expect(report).toContain("Learnt from 6 test galaxies too, by the predictions in");
  expect(report).toContain(
    `--pseudo-labels ${file} --pseudo-share 0.33 --pseudo-weight 0.5 --pseudo-from 0.8`,
  );
});

test.skipIf(!hasNative())(
  "as a graph a run with pseudo-labels learns what it learns operation by operation",
  async () => {
    const file = evenTable("even");
    const weightsOf = async (name: string, ...more: string[]) => {
      const out = join(root, name);
      const shared = ["--data", data, "--backend", "tensorflow", "--workers", "1"];
      const fresh = ["--recipe", SMALLEST, "--steps", "6", "--pseudo-labels", file];
      const { code, stderr } = await kaggle(
        ["train", ...shared, ...fresh, "--out", out, ...more],
        env,
      );
      expect(code, stderr).toBe(0);
      return (await loadCheckpoint(join(out, "checkpoints", "step-00000006"))).weights;
    };
    const graph = await weightsOf("graph");
    const operations = await weightsOf("operations", "--profile"); // which needs them one by one
    for (const [name, values] of Object.entries(graph))
      expect(values.data, name).toBeAllClose(operations[name]!.data, { rtol: 1e-3, atol: 1e-4 });
  },
);

test("options that do not go together are refused, and no run is left behind", async () => {
  const out = join(root, "refused");
  const file = evenTable("fine");
  const refused = async (...more: string[]) => {
    const { code, stderr } = await kaggle(["train", "--data", data, "--out", out, ...more], env);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refused("--pseudo-share", "0.5")).toContain(
    "expected --pseudo-labels beside --pseudo-share but got none",
  );
  expect(await refused("--pseudo-labels", file, "--resume")).toContain(
    "expected --pseudo-labels or --resume (which keeps its own) but got both",
  );
  expect(await refused("--pseudo-labels", file, "--pseudo-from", "2")).toContain(
    "expected a number from 0 to 1 for --pseudo-from but got 2",
  );
  expect(
    await refused("--pseudo-labels", file, "--pseudo-from", "0.5", "--minutes", "1"),
  ).toContain("expected a budget of --steps for --pseudo-from 0.5 but got 1 minutes");
  expect(existsSync(out)).toBe(false);
});
