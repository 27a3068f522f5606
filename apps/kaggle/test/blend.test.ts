/** Blending as a user does it: members as files and run folders, what is written and what is refused. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import { applyBlend, blend, chooseBlend, errorCorrelation, leaveOneOut, rmse } from "@gz/ensemble";
import {
  COLUMNS,
  type Dataset,
  KAGGLE_TREE,
  openDataset,
  readPredictions,
  writePredictions,
} from "@gz/galaxies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blendMembers } from "../src/blending/blend.ts";
import { readBlend, unseenRmse } from "../src/blending/blend-result.ts";
import { WEIGHTS } from "../src/blending/strategies.ts";
import { writeOrigin } from "../src/run/origin.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const GALAXIES = 800;
const VALID = 80;
const root = temporaryFolder();
const data = join(root, "galaxies");
/** Errors of each member: two good ones, and one that is worth little beside them. */
const SIGMA = { a: 0.03, b: 0.035, c: 0.08 };
let dataset: Dataset;
let valid: number[];
/** [valid, 37] */
let truth: Float32Array;

beforeAll(async () => {
  dataset = await makeData(data, 4);
  valid = dataset.trainIds.slice(-VALID);
  truth = dataset.labels!.slice(-VALID * COLUMNS.length);
  for (const [i, [name, sigma]] of Object.entries(SIGMA).entries())
    await makeRun(join(root, name), i + 1, sigma);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Galaxies with random votes along the tree; blending looks at no picture, so there is none in their files. */
async function makeData(folder: string, seed: number): Promise<Dataset> {
  const rng = createRng(seed);
  const galaxy = () => {
    const votes = new Map<string, number>();
    for (const { answers, parents } of KAGGLE_TREE) {
      const asked = parents ? parents.reduce((sum, parent) => sum + votes.get(parent)!, 0) : 1;
      const drawn = answers.map(() => rng.uniform());
      const total = drawn.reduce((a, b) => a + b);
      for (const [i, answer] of answers.entries()) votes.set(answer, (asked * drawn[i]!) / total);
    }
    return COLUMNS.map((column) => votes.get(column)!);
  };
  const ids = Array.from({ length: GALAXIES }, (_, i) => 100_000 + 2 * i);
  for (const name of ["images", "test"]) mkdirSync(join(folder, name), { recursive: true });
  for (const id of ids) writeFileSync(join(folder, "images", `${id}.jpg`), "");
  for (const id of [1, 3, 5, 7, 9]) writeFileSync(join(folder, "test", `${100_000 + id}.jpg`), "");
  const values = Float32Array.from(ids.flatMap(galaxy));
  await writePredictions(join(folder, "labels.csv"), ids, values);
  const found = await openDataset(folder);
  await found.close();
  return found;
}

function noisy(seed: number, sigma: number): Float32Array {
  const rng = createRng(seed);
  return truth.map((vote) => vote + rng.normal(0, sigma));
}

/** The predictions of a run: noise about the labels, and a number of its own for the test galaxies. */
async function makeRun(folder: string, seed: number, sigma: number): Promise<void> {
  const predictions = join(folder, "predictions");
  mkdirSync(predictions, { recursive: true });
  await writePredictions(join(predictions, "valid.csv"), valid, noisy(seed, sigma));
  const { testIds } = dataset;
  const values = new Float32Array(testIds.length * COLUMNS.length).fill(seed / 10);
  await writePredictions(join(predictions, "test.csv"), testIds, values);
}

/** One file of predictions. */
async function file(name: string, ids: readonly number[], values: Float32Array): Promise<string> {
  const path = join(root, name);
  await writePredictions(path, ids, values);
  return path;
}

const runs = () => Object.keys(SIGMA).map((name) => join(root, name));
const members = () =>
  Object.entries(SIGMA).map(([name, sigma], i) => ({ name, values: noisy(i + 1, sigma) }));
const width = COLUMNS.length;
const message = async (options: Parameters<typeof blendMembers>[0]) =>
  blendMembers(options).then(
    () => "no error",
    (error: Error) => error.message,
  );

test("run folders give both parts; everything found out is kept, and is what @gz/ensemble finds", async () => {
  const out = join(root, "all.csv");
  const result = await blendMembers({ members: runs(), out, labels: data });
  expect(readBlend(out)).toEqual(result);
  expect(result.members).toEqual(
    runs().map((run, i) => ({
      name: Object.keys(SIGMA)[i],
      files: ["test.csv", "valid.csv"].map((name) => join(run, "predictions", name)),
    })),
  );
  const { scores } = result;
  expect(scores).toMatchObject({ labels: data, rows: VALID, chosen: "by score" });
  const options = { columns: width, seed: 1 };
  const groups = KAGGLE_TREE.map(({ answers }) => answers.map((name) => COLUMNS.indexOf(name)));
  const candidates = WEIGHTS.map((strategy) => ({
    ...options,
    ...(strategy === "question" ? { weights: "group" as const, groups } : { weights: strategy }),
  }));
  for (const [i, { strategy, ...found }] of scores!.strategies.entries()) {
    const { names: _, ...expected } = blend(members(), truth, candidates[i]!);
    expect({ strategy, ...found }).toEqual({ strategy: WEIGHTS[i], ...expected });
  }
  expect(scores!.strategies.map(({ fitted }) => fitted)).toEqual([0, 3, 3, 3, 33, 111]);
  expect(scores!.correlation).toEqual(errorCorrelation(members(), truth));

  // The lowest on unseen folds is written, but never one with more weights than galaxies (111 and 80).
  const lowest = [...scores!.strategies]
    .filter(({ strategy }) => strategy !== "column")
    .sort((a, b) => a.crossValidatedRmse - b.crossValidatedRmse)[0]!;
  expect(result.strategy).toBe(lowest.strategy);
  expect(result.weights).toEqual(lowest.weights);
  // What choosing so scores is not the lowest of the figures, but that of choices that the fold had no part in.
  const choice = chooseBlend(members(), truth, candidates);
  expect(scores!.choice).toEqual({
    rmse: choice.crossValidatedRmse,
    withoutFold: choice.withoutFold.map((i) => WEIGHTS[i]),
  });
  expect(unseenRmse(result)).toBe(choice.crossValidatedRmse);
  expect(result.warnings).toEqual([]);
  const worth = leaveOneOut(members(), truth, { ...options, weights: "shared" });
  const asked = await blendMembers({ members: runs(), out, labels: data, weights: "shared" });
  expect(asked.scores!.chosen).toBe("as asked");
  expect(unseenRmse(asked)).toBe(asked.scores!.strategies[3]!.crossValidatedRmse);
  expect(asked.scores!.members).toEqual(worth.map(({ name: _, ...value }) => value));

  const written = await readPredictions(out);
  expect(written.ids).toEqual(dataset.testIds);
  const [a, b, c] = asked.weights[4]!;
  expect(written.values[4]).toBeCloseTo(0.1 * a! + 0.2 * b! + 0.3 * c!, 6);
});

test("files beside a valid.csv, files with both parts, and labels as a CSV do as well", async () => {
  const out = join(root, "files.csv");
  const labels = await file("labels.csv", valid, truth);
  const whole = await blendMembers({ members: runs(), out, labels, weights: "shared" });
  const submission = readFileSync(out, "utf8");
  const both: string[] = [];
  for (const [i, run] of runs().entries()) {
    const [test_, fit] = await Promise.all(
      ["test", "valid"].map((split) => readPredictions(join(run, "predictions", `${split}.csv`))),
    );
    const values = Float32Array.from([...test_!.values, ...fit!.values]);
    both.push(await file(`${"abc"[i]}.csv`, [...test_!.ids, ...fit!.ids], values));
  }
  for (const sources of [runs().map((run) => join(run, "predictions", "test.csv")), both]) {
    const found = await blendMembers({ members: sources, out, labels, weights: "shared" });
    expect(found.scores).toEqual(whole.scores);
    expect(readFileSync(out, "utf8")).toBe(submission);
  }
  // Where every row has a label, these are what is blended.
  const fits = runs().map((run) => join(run, "predictions", "valid.csv"));
  const fitted = await blendMembers({ members: fits, out, labels, weights: "column" });
  expect((await readPredictions(out)).values).toEqual(
    applyBlend({ names: ["a", "b", "c"], weights: fitted.weights }, members()),
  );
  expect(rmse((await readPredictions(out)).values, truth)).toBeCloseTo(
    fitted.scores!.strategies.at(-1)!.rmse,
    6,
  );
});

test("without labels the mean is written, and nothing is scored", async () => {
  const out = join(root, "plain.csv");
  const result = await blendMembers({ members: runs(), out });
  expect(result).toMatchObject({ strategy: "uniform", rows: 5, warnings: [] });
  expect(result.scores).toBeUndefined();
  expect((await readPredictions(out)).values[0]).toBeCloseTo(0.2, 7);
});

test("a single member is scored and passed on", async () => {
  const out = join(root, "single.csv");
  const { scores, strategy } = await blendMembers({ members: [runs()[0]!], out, labels: data });
  expect(strategy).toBe("uniform");
  expect(scores!.members).toEqual([{ rmse: rmse(noisy(1, SIGMA.a), truth) }]);
  expect(scores!.correlation).toEqual([[1]]);
  // With nothing to choose there is nothing to flatter.
  expect(scores!.choice.rmse).toBeCloseTo(rmse(noisy(1, SIGMA.a), truth), 12);
});

test("galaxies that are missing or too many are named, by file, how many and which", async () => {
  const out = join(root, "refused.csv");
  const good = runs().map((run) => join(run, "predictions", "valid.csv"));
  const values = noisy(9, 0.1);
  const fewer = await file("fewer.csv", valid.slice(5), values.slice(5 * width));
  expect(await message({ members: [fewer, ...good], out })).toBe(
    `blend: expected the ${VALID} galaxies of ${good[0]} but ${fewer} misses 5 (${valid.slice(0, 3).join(", ")}, …)`,
  );
  const other = await file("other.csv", [7, 9, ...valid.slice(2)], values);
  expect(await message({ members: [...good, other, fewer], out })).toBe(
    `blend: expected the ${VALID} galaxies of ${good[0]} but ${other} misses 2 (${valid[0]}, ${valid[1]}) and has 2 others (7, 9); ${fewer} misses 5 (${valid.slice(0, 3).join(", ")}, …)`,
  );
  const strange = await file("strange.csv", [1, 2, 3, 4], values.slice(0, 4 * width));
  expect(await message({ members: [...good, strange], out })).toBe(
    `blend: expected the ${VALID} galaxies of ${good[0]} but ${strange} has none of them, but 4 others (1, 2, 3, …): it is of another data set`,
  );
  expect(await message({ members: [strange], out, labels: data })).toBe(
    `blend: expected predictions of galaxies with labels in ${data} but none are in ${strange} and ${join(root, "valid.csv")} is not there; run kaggle predict --split valid`,
  );
  // The test set of the labels' data set is known: a member that lacks some of it is refused though it is alone.
  const short = join(root, "short");
  await makeRun(short, 4, 0.1);
  const testFile = join(short, "predictions", "test.csv");
  await writePredictions(testFile, dataset.testIds.slice(1), new Float32Array(4 * width));
  expect(await message({ members: [short], out, labels: data })).toBe(
    `blend: expected the 5 galaxies of the test set of ${data} but ${testFile} misses 1 (${dataset.testIds[0]})`,
  );
  rmSync(testFile);
  expect(await message({ members: [short, ...runs()], out, labels: data })).toContain(
    `but ${short} has none of the 5 in ${join(root, "a", "predictions", "test.csv")}; run kaggle predict --split test`,
  );
  // A valid.csv with galaxies that have no label.
  const validFile = join(short, "predictions", "valid.csv");
  await writePredictions(validFile, [7, 9, ...valid.slice(2)], values);
  expect(await message({ members: [short], out, labels: data })).toBe(
    `blend: expected labels in ${data} for the ${VALID} galaxies of ${validFile} but 2 have none (7, 9): is it of another data set?`,
  );
  expect(existsSync(out)).toBe(false);
  expect(readBlend(out)).toBeUndefined();
});

test("labels that are not there, or are none, and too few of them, are named", async () => {
  const out = join(root, "refused.csv");
  const none = join(root, "no-labels");
  const members = runs();
  expect(await message({ members, out, labels: none })).toBe(
    `blend: expected labels in ${none} but it is not there`,
  );
  mkdirSync(join(none, "test"), { recursive: true });
  writeFileSync(join(none, "test", "7.jpg"), "");
  expect(await message({ members, out, labels: none })).toBe(
    `blend: expected labels in ${none} but found none`,
  );
  const two = await file("two.csv", valid.slice(0, 2), truth.slice(0, 2 * width));
  const fits = runs().map((run) => join(run, "predictions", "valid.csv"));
  expect(await message({ members: fits, out, labels: two })).toBe(
    `blend: expected at least 3 galaxies with labels in ${two} but got 2 (${valid[0]}, ${valid[1]})`,
  );
});

test("another header, an empty file and a file that is not there are named", async () => {
  const out = join(root, "refused.csv");
  const header = join(root, "header.csv");
  const text = readFileSync(join(root, "a", "predictions", "valid.csv"), "utf8");
  writeFileSync(header, text.replace("Class3.1", "Class3.9"));
  expect(await message({ members: [runs()[0]!, header], out })).toMatch(
    new RegExp(
      `${header} row 1: expected the header .* but column 7 is "Class3.9" instead of Class3.1`,
    ),
  );
  writeFileSync(header, text.slice(0, text.indexOf("\n") + 1));
  expect(await message({ members: [header], out })).toBe(
    `blend: expected predictions in ${header} but it has only a header`,
  );
  expect(await message({ members: [join(root, "none.csv")], out })).toContain(
    "none.csv is not there",
  );
  mkdirSync(join(root, "empty"), { recursive: true });
  expect(await message({ members: [join(root, "empty")], out })).toContain(
    "has no predictions yet",
  );
});

test("predictions of another data set with the same ids are refused: rendered ones share them", async () => {
  const elsewhere = join(root, "elsewhere");
  const other = await makeData(elsewhere, 5);
  expect(other.trainIds).toEqual(dataset.trainIds);
  const out = join(root, "refused.csv");
  const [own, foreign] = ["own", "foreign"].map((name) => join(root, name)) as [string, string];
  await makeRun(own, 5, 0.1);
  await makeRun(foreign, 6, 0.1);
  const files = (run: string) => ["test.csv", "valid.csv"].map((f) => join(run, "predictions", f));
  for (const name of files(own)) writeOrigin(name, dataset);
  for (const name of files(foreign)) writeOrigin(name, other);
  const both = files(foreign)
    .map((name) => `${name} is of another data set (${other.path})`)
    .join("; ");
  expect(await message({ members: [own, foreign], out })).toBe(
    `blend: expected predictions for ${dataset.path}, as ${files(own)[0]} is of, but ${files(foreign)[0]} is of another data set (${other.path})`,
  );
  expect(await message({ members: [foreign], out, labels: data })).toBe(
    `blend: expected predictions for ${data} but ${both}`,
  );
  // Files that say nothing, as other programs write them, go with those that do.
  expect(await message({ members: [own, runs()[0]!], out, labels: data })).toBe("no error");
});

test("what to mind is said: too few galaxies for the weights, training galaxies, a member that knows nothing", async () => {
  const out = join(root, "warned.csv");
  const labels = await file("few.csv", valid.slice(0, 20), truth.slice(0, 20 * width));
  const few = await Promise.all(
    members().map(({ name, values }) =>
      file(`few-${name}.csv`, valid.slice(0, 20), values.slice(0, 20 * width)),
    ),
  );
  const column = await blendMembers({ members: few, out, labels, weights: "column" });
  expect(column.warnings[0]).toBe(
    "column weights will over-fit: 111 weights are fitted to 20 galaxies, fewer than weights; take --weights uniform, or more labelled galaxies",
  );
  const auto = await blendMembers({ members: few, out, labels });
  expect(["uniform", "pruned", "greedy", "shared"]).toContain(auto.strategy);
  expect(auto.warnings).toEqual([]);

  const training = dataset.trainIds.slice(0, 60);
  const known = await file("known.csv", training, dataset.labels!.slice(0, 60 * width));
  expect((await blendMembers({ members: [known], out, labels: data })).warnings).toEqual([
    `60 of the 60 labelled galaxies are training galaxies of ${data}: members may know them by heart, and scores and weights then flatter them`,
  ]);

  const guess = await file("guess.csv", valid, noisy(8, 0.6));
  const [warning] = (await blendMembers({ members: [guess], out, labels: data })).warnings;
  expect(warning).toMatch(
    /^guess scores 0\.\d{5}, worse than the same mean answer for every galaxy \(0\.\d{5}\); check/,
  );
});

test("the command prints scores and worth, marks what over-fits and what is written, and warns", async () => {
  const out = join(root, "command.csv");
  const args = ["blend", "--out", out, "--labels", data, "--weights", "column", ...runs()];
  const { code, stdout, stderr } = await kaggle(args);
  expect(code, stderr).toBe(0);
  const { scores } = readBlend(out)!;
  const lines = stdout.trim().split("\n");
  expect(lines[1]).toMatch(
    new RegExp(`^a +${scores!.members[0]!.rmse.toFixed(5)}  \\+0\\.0\\d{4}$`),
  );
  const column = scores!.strategies.at(-1)!;
  expect(lines.at(-2)).toBe(
    `column    ${column.rmse.toFixed(5)}  ${column.crossValidatedRmse.toFixed(5)}  over-fits: 111 weights, ${VALID} galaxies  <- written`,
  );
  expect(lines.at(-1)).toBe(`${out}: 5 galaxies, column weights of 3`);
  expect(stderr).toContain("warning: column weights will over-fit: 111 weights");

  const auto = await kaggle(["blend", "--out", out, "--labels", data, ...runs()]);
  expect(auto.stdout.trim().split("\n").at(-2)).toBe(
    `auto               ${readBlend(out)!.scores!.choice.rmse.toFixed(5)}  the choice, too, made without the fold: what new galaxies will show`,
  );

  const wrong = await kaggle(["blend", "--out", out, "--weights", "median", ...runs()]);
  expect(wrong.stderr).toContain(
    "blend: expected auto, uniform, pruned, greedy, shared, question, column for --weights but got median",
  );
  const unlabelled = await kaggle(["blend", "--out", out, "--weights", "greedy", ...runs()]);
  expect(unlabelled.stderr).toContain('blend: expected --labels for weights "greedy" but got none');
});

test("two files beside one valid.csv are refused, and so is a member as the submission", async () => {
  const shared = join(root, "shared");
  mkdirSync(shared);
  await writePredictions(join(shared, "valid.csv"), valid, noisy(9, 0.1));
  const tests = runs()
    .slice(0, 2)
    .map((run, i) => {
      const path = join(shared, `${i}.csv`);
      writeFileSync(path, readFileSync(join(run, "predictions", "test.csv")));
      return path;
    });
  const out = join(root, "shared.csv");
  expect(await message({ members: tests, out, labels: data })).toBe(
    `blend: expected labelled predictions of its own for each member but ${tests[0]} and ${tests[1]} share ${join(shared, "valid.csv")}; put them into two folders`,
  );
  const before = readFileSync(tests[0]!, "utf8");
  expect(await message({ members: tests, out: tests[0]! })).toBe(
    `blend: expected another file than a member's for --out but got ${tests[0]}`,
  );
  expect(readFileSync(tests[0]!, "utf8")).toBe(before);
});

test("a damaged blend.json is named", async () => {
  const out = join(root, "damaged.csv");
  await blendMembers({ members: runs(), out, labels: data });
  const file = join(root, "damaged.blend.json");
  const whole = JSON.parse(readFileSync(file, "utf8"));
  for (const [content, what] of [
    ["{", "is not JSON"],
    ["null", "but got undefined; blend again"],
    ['{ "formatVersion": 3 }', `in ${file} but its submission is something else; blend again`],
    [
      JSON.stringify({ ...whole, members: [{ name: { html: "<b>" }, files: [] }] }),
      "its members.0.name is something else",
    ],
  ] as const) {
    writeFileSync(file, content);
    expect(() => readBlend(out)).toThrow(what);
  }
});

test("what an older version found out is refused by name", () => {
  const out = join(root, "old.csv");
  writeFileSync(join(root, "old.blend.json"), '{ "formatVersion": 1 }');
  expect(() => readBlend(out)).toThrow(
    `blend: expected format version 3 in ${join(root, "old.blend.json")} but got 1; blend again`,
  );
});
