import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import { COLUMNS, KAGGLE_TREE, openDataset, writePredictions, writeSynthetic } from "@gz/galaxies";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blendMembers } from "../src/blending/blend.ts";
import { readBlend } from "../src/blending/blend-result.ts";
import { formatChange } from "../src/cli/format.ts";
import { loadRecipe, type ResidualNetwork } from "../src/recipe/recipe.ts";
import { html } from "../src/report/html.ts";
import { writeReport } from "../src/report/report.ts";
import { drawTree } from "../src/report/tree-drawing.ts";
import { smoothedRmse, throughput } from "../src/run/metrics.ts";
import { createRun, type Run } from "../src/run/run.ts";
import { expectSelfContained, expectWellFormed, report, tableOf } from "./page.ts";

const GALAXIES = 120;
const VALID = 12;
const SECTIONS = [
  "curves",
  "answers",
  "agreement",
  "galaxies",
  "trust",
  "network",
  "transforms",
  "blend",
  "speed",
  "recipe",
  "commands",
];

let root: string;
let data: string;
let ids: number[];
/** Labels of the validation galaxies, and the mean label of the others. */
let truth: number[][];
let mean: number[];
let testIds: number[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "report-"));
  data = join(root, "galaxies");
  await writeSynthetic(data, { train: GALAXIES, test: 3, seed: 4, size: 96 });
  const dataset = await openDataset(data);
  const rows = Array.from({ length: GALAXIES }, (_, i) => [
    ...dataset.labels!.subarray(i * 37, (i + 1) * 37),
  ]);
  truth = rows.splice(GALAXIES - VALID);
  mean = COLUMNS.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length);
  ids = dataset.trainIds.slice(GALAXIES - VALID);
  testIds = dataset.testIds;
  await dataset.close();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A run folder as training leaves it: four log lines of 100 ms + 2 ms waiting. */
function makeRun(
  folder: string,
  seed: number,
  changes: { about?: string; log?: boolean } = {},
): Run {
  const { about, log = true } = changes;
  const recipe = { ...loadRecipe("tiny"), ...(about && { about }) };
  const run = createRun(folder, recipe, {
    formatVersion: 1,
    seed,
    budget: { steps: 40 },
    data: { path: data, train: GALAXIES - VALID, valid: VALID },
    backend: "wasm 4.22.0 on WebAssembly SIMD, 2 threads",
    node: "v20.19.0",
    started: "2026-01-02T03:04:05.678Z",
  });
  const lines = [10, 20, 30, 40].flatMap((step) => [
    {
      kind: "train",
      step,
      rmse: 0.2 - step / 1000,
      learningRate: 0.001,
      phase: "normal",
      stepMs: 100,
      dataWaitMs: 2,
      rssMb: 300 + step,
      seconds: step,
    },
    { kind: "valid", step, rmse: 0.19 - step / 1000, seconds: step },
  ]);
  if (log)
    writeFileSync(run.metricsFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return run;
}

/** Labels and noise of a known seed, as float32 files hold them. */
function noisy(seed: number, sigma: number): number[][] {
  const rng = createRng(seed);
  return truth.map((row) =>
    row.map((vote) => Math.fround(Math.min(1, Math.max(0, vote + rng.normal(0, sigma))))),
  );
}

async function predict(
  run: Run,
  name: string,
  values: number[][],
  rows: number[] = ids,
): Promise<void> {
  await writePredictions(join(run.predictions, name), rows, Float32Array.from(values.flat()));
}

function rmse(
  predicted: number[][],
  keep: (row: number, column: number) => boolean = () => true,
): number {
  const squares = truth.flatMap((labels, row) =>
    labels.flatMap((label, k) => (keep(row, k) ? [(predicted[row]![k]! - label) ** 2] : [])),
  );
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
}

test("the page of two members and their blend shows the figures that its data have", async () => {
  const folders = [join(root, "a", "member-1"), join(root, "a", "member-2")];
  const predictions = [noisy(1, 0.08), noisy(2, 0.06)];
  const singles = [noisy(3, 0.1), noisy(4, 0.12)];
  for (const [i, folder] of folders.entries()) {
    const run = makeRun(folder, i + 1);
    await predict(run, "valid.csv", predictions[i]!);
    await predict(run, "valid.single.csv", singles[i]!);
    await predict(
      run,
      "test.csv",
      testIds.map(() => mean),
      testIds,
    );
  }
  const submission = join(root, "a", "submission.csv");
  await blendMembers({ members: folders, out: submission, labels: data, weights: "uniform" });
  const page = await report({
    runs: folders,
    out: join(root, "a", "report.html"),
    blend: submission,
  });

  // Everything is on the page, whole and self-contained.
  expect(page.texts("main > section > h2")).toHaveLength(SECTIONS.length);
  expect(page.all("main > section").map(({ id }) => id)).toEqual(SECTIONS);
  expect(page.all("nav a").map((a) => a.getAttribute("href"))).toEqual(
    SECTIONS.map((id) => `#${id}`),
  );
  // Nothing but what kaggle evaluate would have found, which report-evaluation.test.ts has.
  expect(page.texts("section:not(#trust):not(#network) .missing")).toEqual([]);
  expectWellFormed(page.text);
  expectSelfContained(page);
  expect(page.text.length).toBeLessThan(1_000_000);

  // The head.
  expect(page.document.querySelector("h1")!.textContent).toBe("2 networks on synthetic galaxies");
  const lead = page.texts(".lead")[0]!;
  expect(lead).toContain("No galaxy here is real");
  expect(lead).toContain("108 galaxies to train on, 12 to validate, 3 to predict");
  const baseline = truth.map(() => mean);
  const blended = predictions[0]!.map((row, i) =>
    row.map((vote, k) => (vote + predictions[1]![i]![k]!) / 2),
  );
  const figures = page
    .all(".figures > div")
    .map((figure) => [
      figure.querySelector("dt")!.textContent,
      figure.querySelector("dd")!.textContent,
    ]);
  expect(figures).toEqual([
    ["Mean label", rmse(baseline).toFixed(4)],
    ["Best single", Math.min(...singles.map((s) => rmse(s))).toFixed(4)],
    ["With transforms", rmse(predictions[1]!).toFixed(4)],
    ["Blended", rmse(blended).toFixed(4)],
  ]);

  // By question and answer, of the blend, beside the mean label.
  for (const [q, { text, answers }] of KAGGLE_TREE.entries()) {
    const columns = answers.map((answer) => COLUMNS.indexOf(answer));
    const ofQuestion = (_: number, k: number) => columns.includes(k);
    const row = page.all("#answers tr.question")[q]!;
    expect(row.querySelector("th")!.textContent).toBe(`${q + 1}${text}`);
    expect([...row.querySelectorAll("td")].slice(0, 2).map((cell) => cell.textContent)).toEqual([
      rmse(blended, ofQuestion).toFixed(4),
      rmse(baseline, ofQuestion).toFixed(4),
    ]);
  }
  for (const [k, answer] of COLUMNS.entries()) {
    const cells = [...page.document.querySelectorAll(`[data-answer="${answer}"] .n`)].map(
      (c) => c.textContent,
    );
    const [model, base] = [blended, baseline].map((values) =>
      rmse(values, (_, column) => column === k),
    );
    const votes = truth.reduce((sum, row) => sum + row[k]!, 0) / VALID;
    expect(cells).toEqual([
      model!.toFixed(4),
      base!.toFixed(4),
      Number.isFinite(1 - (model! / base!) ** 2)
        ? `${((1 - (model! / base!) ** 2) * 100).toFixed(0)} %`
        : "–",
      `${(votes * 100).toFixed(1)} %`,
    ]);
  }
  expect(page.all("#agreement svg")).toHaveLength(37);

  // The galaxies, best first, then worst first.
  const errors = ids.map((_, row) => rmse(blended, (r) => r === row));
  const order = ids.map((_, row) => row).sort((a, b) => errors[a]! - errors[b]!);
  const shown = [...order.slice(0, 6), ...order.slice(6).reverse()];
  expect(page.texts(".card strong")).toEqual(shown.map((row) => String(ids[row])));
  expect(page.all(".card .portrait p").map((p) => p.textContent!.match(/RMSE (\S+)/)![1])).toEqual(
    shown.map((row) => errors[row]!.toFixed(4)),
  );
  const picture = page.all(".card img")[0]!.getAttribute("src")!.split(",")[1]!;
  const { format, width, height } = await sharp(Buffer.from(picture, "base64")).metadata();
  expect({ format, width, height }).toEqual({ format: "jpeg", width: 192, height: 192 });

  // Gains.
  expect(tableOf(page, "transforms")).toEqual(
    [0, 1].map((i) => {
      const [single, all] = [rmse(singles[i]!), rmse(predictions[i]!)];
      return [
        `member-${i + 1}`,
        single.toFixed(4),
        all.toFixed(4),
        `−${((100 * (single - all)) / single).toFixed(1)} %`,
      ];
    }),
  );
  const result = readBlend(submission)!;
  const { strategies, members, correlation } = result.scores!;
  expect(tableOf(page, "blend").map(([, ...cells]) => cells)).toEqual(
    strategies.map((s) => [s.crossValidatedRmse.toFixed(5), s.rmse.toFixed(5), String(s.fitted)]),
  );
  expect(tableOf(page, "blend", 1).map((cells) => cells.slice(0, 3))).toEqual(
    [0, 1].map((i) => [String(i + 1), `member-${i + 1}`, rmse(predictions[i]!).toFixed(4)]),
  );
  expect(tableOf(page, "blend", 1).map((cells) => cells[3])).toEqual(
    members.map(({ crossValidatedValue }) => formatChange(crossValidatedValue!, 5)),
  );
  const [heat] = page
    .all("#blend .narrow svg")
    .filter((svg) => svg.getAttribute("aria-label")!.startsWith("Correlation"));
  const text = correlation[0]![1]!.toFixed(3);
  expect([...heat!.querySelectorAll("title")].map((title) => title.textContent)).toEqual([
    `1 member-1, 2: ${text}`,
    `2 member-2, 1: ${text}`,
  ]);

  // Speed: a batch in 102 ms.
  const recipe = loadRecipe("tiny");
  const { stages } = recipe.network as ResidualNetwork;
  expect(tableOf(page, "speed")[1]).toEqual([
    "member-2",
    "2",
    "40",
    "0.1",
    "100 ms",
    "2.0 %",
    (recipe.batch / 0.102).toFixed(0),
    "340 MB",
    "2026-01-02 03:04",
  ]);
  expect(page.texts("#speed p")[0]).toBe(
    "wasm 4.22.0 on WebAssembly SIMD, 2 threads, Node v20.19.0.",
  );
  expect(
    Object.fromEntries(tableOf(page, "recipe").map(([key, value]) => [key, value])),
  ).toMatchObject({
    "input.size": String(recipe.input.size),
    "network.stages 2": `filters ${stages[1]!.filters} · blocks ${stages[1]!.blocks} · stride ${stages[1]!.stride}`,
    "optimizer.kind": "adamw",
    batch: String(recipe.batch),
  });
  const commands = page.texts("#commands pre code");
  expect(commands[0]).toBe(
    `npm run kaggle -- train --recipe tiny --data ${data} --out ${folders[0]} --steps 40 --seed 1 --backend wasm`,
  );
  expect(commands[4]).toBe(
    `npm run kaggle -- blend --out ${submission} --labels ${data} --weights uniform ${folders.join(" ")}`,
  );
});

test("learning curves show every validation score and stay in the frame", async () => {
  const run = makeRun(join(root, "curves"), 1);
  const page = await report({ runs: [run.folder], out: join(root, "curves.html") });
  for (const size of ["wide", "narrow"]) {
    const svg = page.document.querySelector(`#curves .${size} svg`)!;
    const [, , width, height] = svg.getAttribute("viewBox")!.split(" ").map(Number);
    const dots = [...svg.querySelectorAll('g[aria-label="dot"] circle')].map((dot) => [
      Number(dot.getAttribute("cx")),
      Number(dot.getAttribute("cy")),
    ]);
    expect(dots).toHaveLength(4);
    // Steps and scores are evenly spaced, and so are their dots; lower scores lie lower.
    for (const axis of [0, 1]) {
      const gaps = dots.slice(1).map((dot, i) => dot[axis]! - dots[i]![axis]!);
      expect(gaps).toBeAllClose([gaps[0]!, gaps[0]!, gaps[0]!], { rtol: 1e-6 });
      expect(gaps[0]).toBeGreaterThan(0);
    }
    for (const [x, y] of dots) {
      expect(x).toBeLessThan(width!);
      expect(y).toBeLessThan(height!);
    }
  }
});

test("what is not there is said with the command that makes it", async () => {
  const run = makeRun(join(root, "bare"), 1, { log: false });
  const page = await report({ runs: [run.folder], out: join(root, "bare.html") });
  expect(page.all("main > section").map(({ id }) => id)).toEqual(SECTIONS);
  expect(page.texts(".figures dd:first-of-type")).toEqual([rmse(truth.map(() => mean)).toFixed(4)]);
  expect(page.texts("#curves .missing")[0]).toContain("kaggle train --resume");
  for (const id of ["answers", "agreement", "galaxies", "transforms"])
    expect(page.texts(`#${id} .missing`)[0]).toContain(
      `kaggle predict --run ${run.folder} --split valid`,
    );
  expect(page.texts("#blend .missing")[0]).toContain(
    "kaggle blend --out submission.csv --labels DIR",
  );
  for (const id of ["trust", "network"])
    expect(page.texts(`#${id} .missing`)[0]).toContain(`kaggle evaluate ${run.folder}`);
  expect(tableOf(page, "speed")[0]).toContain("no step logged");
  expectWellFormed(page.text);

  await predict(run, "valid.csv", noisy(1, 0.1));
  const single = await report({ runs: [run.folder], out: join(root, "bare.html") });
  expect(single.texts(".figures dt")).toEqual(["Mean label", "Best member"]);
  expect(single.texts("#transforms .missing")[0]).toContain("valid.single.csv");
  expect(single.texts("#answers p")[0]).toContain("Errors of bare");
});

test("without a blend the members' mean is judged", async () => {
  const predictions = [noisy(1, 0.1), noisy(2, 0.1)];
  const runs = [makeRun(join(root, "mean", "a"), 1), makeRun(join(root, "mean", "b"), 2)];
  for (const [i, run] of runs.entries()) await predict(run, "valid.csv", predictions[i]!);
  const page = await report({
    runs: runs.map(({ folder }) => folder),
    out: join(root, "mean.html"),
  });
  const both = predictions[0]!.map((row, i) =>
    row.map((v, k) => (v + predictions[1]![i]![k]!) / 2),
  );
  expect(page.texts(".figures .last dd")[0]).toBe(rmse(both).toFixed(4));
  expect(page.texts("#answers p")[0]).toContain("the mean of 2 members");
});

test("a data set that has gone elsewhere is asked for; other galaxies are pointed out", async () => {
  const run = makeRun(join(root, "moved"), 1);
  const file = join(run.folder, "run.json");
  const info = JSON.parse(readFileSync(file, "utf8"));
  const gone = join(root, "gone");
  writeFileSync(file, JSON.stringify({ ...info, data: { path: gone, train: 90, valid: 10 } }));
  const page = await report({ runs: [run.folder], out: join(root, "moved.html") });
  expect(page.texts("#answers .missing")[0]).toBe(
    `The labels of ${gone} are not to be had; say where they are: kaggle report --data DIR.`,
  );
  expect(page.all("img")).toHaveLength(0);
  const found = await report({ runs: [run.folder], out: join(root, "moved.html"), data });
  expect(found.texts("header .missing")[0]).toContain("moved: not trained on this data set");
});

test("names and texts are escaped", async () => {
  const folder = join(root, `<b>"it's" & $(x)`);
  mkdirSync(folder);
  const run = makeRun(join(folder, "<i>run</i>"), 1, { about: "<script>alert(1)</script> & more" });
  await predict(run, "valid.csv", noisy(1, 0.1));
  const page = await report({ runs: [run.folder, run.folder], out: join(root, "escaped.html") });
  expect(page.all("script, b, main i:not([class]):not([style])")).toEqual([]);
  expect(page.texts("#recipe details p")[0]).toBe("<script>alert(1)</script> & more");
  expect(page.texts("#transforms tbody td:first-child")).toEqual(["i>", "i>#2"]);
  // A shell reads the path back as it was.
  expect(page.texts("#commands pre code")[1]).toContain(
    `--run '${run.folder.replaceAll("'", "'\\''")}' --data`,
  );
  expectWellFormed(page.text);

  expect(html`<p>${`<&>"'`}${3}${undefined}${false}${[html`<b>${"<"}</b>`, "x"]}</p>`.html).toBe(
    "<p>&lt;&amp;&gt;&quot;&#39;3<b>&lt;</b>x</p>",
  );
});

test("a galaxy's tree: bars as long as the votes, questions that few were asked left out", () => {
  const votes = (entries: Record<string, number>) => COLUMNS.map((column) => entries[column] ?? 0);
  const truth = votes({
    "Class1.1": 0.75,
    "Class1.2": 0.25,
    "Class2.2": 0.25,
    "Class3.2": 0.25,
    "Class4.2": 0.25,
    "Class5.3": 0.25,
    "Class6.2": 1,
    "Class7.1": 0.5,
    "Class7.2": 0.25,
  });
  const predicted = votes({ "Class1.1": 1, "Class6.1": 0.05, "Class6.2": 0.95, "Class7.1": 1 });
  const { document } = parseHTML(`<body>${drawTree(truth, predicted).html}</body>`);
  const questions = [...document.querySelectorAll(".question")].map((text) => text.textContent);
  expect(questions).toEqual([
    "smooth or disk",
    "edge-on",
    "bar",
    "spiral",
    "bulge",
    "roundness",
    "odd",
  ]);
  const bars = [...document.querySelectorAll("rect")].map((rect) => [
    rect.querySelector("title")!.textContent,
    Number(rect.getAttribute("width")) + 1,
  ]);
  expect(bars.slice(0, 4)).toEqual([
    ["smooth: true .75", 171],
    ["features or disk: true .25", 57],
    ["smooth: predicted 1.0", 228],
    ["no: true .25", 57],
  ]);
  expect(document.querySelector("svg")!.getAttribute("viewBox")).toBe(`0 0 350 ${7 * 34}`);
});

test("metrics are thinned and summed up", () => {
  const lines = Array.from({ length: 160 }, (_, i) => ({
    kind: "train" as const,
    step: 10 * (i + 1),
    rmse: i % 2 === 0 ? 0.3 : 0.4,
    learningRate: 1,
    stepMs: i < 80 ? 10 : 30,
    dataWaitMs: 5,
    rssMb: i,
  }));
  const smooth = smoothedRmse(lines);
  expect(smooth).toHaveLength(80);
  expect(smooth[0]!.step).toBe(20);
  expect(smooth.map(({ rmse }) => rmse)).toBeAllClose(Array(80).fill(Math.sqrt(0.125)), {
    rtol: 1e-12,
  });
  expect(smoothedRmse([])).toEqual([]);
  // A line whose loss was not read holds null.
  expect(smoothedRmse([{ ...lines[0]!, rmse: null as unknown as number }])).toEqual([]);
  expect(throughput({ train: lines, valid: [] })).toEqual({
    steps: 1600,
    stepMs: 30,
    waitMs: 5,
    minutes: (800 * 15 + 800 * 35) / 60_000,
    rssMb: 159,
  });
  expect(throughput({ train: [], valid: [] })).toBeUndefined();
});

test("errors name what is wrong", async () => {
  const out = join(root, "none.html");
  await expect(writeReport({ runs: [], out })).rejects.toThrow(
    "report: expected at least one run but got none",
  );
  const missing = join(root, "nowhere");
  await expect(writeReport({ runs: [missing], out })).rejects.toThrow(
    `run: ${missing} is not a run: it has no run.json`,
  );
  const run = makeRun(join(root, "errors"), 1);
  await expect(
    writeReport({ runs: [run.folder], out, blend: join(root, "no.csv") }),
  ).rejects.toThrow(
    `report: expected ${join(root, "no.blend.json")}, as kaggle blend writes it beside ${join(root, "no.csv")}, but it is not there`,
  );
  await expect(writeReport({ runs: [run.folder], out, data: missing })).rejects.toThrow(missing);
  await predict(run, "valid.csv", [mean], [1]);
  await expect(writeReport({ runs: [run.folder], out })).rejects.toThrow(
    `report: expected the 12 validation galaxies of the data set in ${join(run.predictions, "valid.csv")} but some are missing; predict again (kaggle predict --run ${run.folder} --split valid)`,
  );
});
