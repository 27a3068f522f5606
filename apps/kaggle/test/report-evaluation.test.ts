/** What kaggle evaluate found, on the report's page: evaluation.json in, headings, numbers and pictures out. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COLUMNS, KAGGLE_TREE, openDataset, writePredictions, writeSynthetic } from "@gz/galaxies";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blendMembers } from "../src/blending/blend.ts";
import { unseenRmse } from "../src/blending/blend-result.ts";
import { contradictions } from "../src/evaluation/agreement.ts";
import { evaluateBlend } from "../src/evaluation/evaluation.ts";
import {
  type Evaluation,
  evaluationFileIn,
  evaluationFileOf,
  readEvaluation,
  writeEvaluation,
} from "../src/evaluation/evaluation-file.ts";
import { judge } from "../src/evaluation/judgement.ts";
import type { Look } from "../src/evaluation/look.ts";
import { shortName } from "../src/evaluation/scores.ts";
import { writeSprite } from "../src/evaluation/sprite.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";
import { createRun, type Run } from "../src/run/run.ts";
import { expectSelfContained, expectWellFormed, report, tableOf } from "./page.ts";

/** 40 galaxies, and what numpy and scipy say of their predictions (fixtures/evaluation.py). */
const golden = JSON.parse(
  readFileSync(new URL("./fixtures/evaluation.json", import.meta.url), "utf8"),
);
const labels = Float32Array.from(golden.labels);
const predictions = Float32Array.from(golden.predictions);

let root: string;
let data: string;
let ids: number[];
let valid: number[];
let truth: Float32Array;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "report-evaluation-"));
  data = join(root, "galaxies");
  await writeSynthetic(data, { train: 40, test: 2, seed: 4, size: 64 });
  const dataset = await openDataset(data);
  ids = dataset.trainIds;
  valid = ids.slice(36);
  truth = dataset.labels!.slice(36 * COLUMNS.length);
  await dataset.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function makeRun(name: string): Run {
  return createRun(join(root, name), loadRecipe("tiny"), {
    formatVersion: 1,
    seed: 1,
    budget: { steps: 40 },
    data: { path: data, train: 36, valid: 4 },
    backend: "wasm 4.22.0 on WebAssembly SIMD, 2 threads",
    node: "v20.19.0",
    started: "2026-01-02T03:04:05.678Z",
  });
}

/** The evaluation of the 40 galaxies, as that of a run. */
function evaluationOf(run: Run, changes: Partial<Evaluation> = {}): Evaluation {
  return {
    name: run.name,
    predictions: join(run.predictions, "valid.csv"),
    labels: data,
    tree: KAGGLE_TREE,
    judgement: judge(predictions, labels, KAGGLE_TREE),
    mistakes: contradictions(predictions, labels, KAGGLE_TREE, 3).map(({ row, ...mistake }) => ({
      id: ids[row]!,
      ...mistake,
    })),
    ...changes,
  };
}

/** A look at an imagined network, and its pictures: three filters and two units, each of one shade. */
async function makeLook(run: Run): Promise<Look> {
  const shades = (side: number, values: number[]) =>
    values.map((value) => new Float32Array(side * side * 3).fill(value));
  mkdirSync(join(run.folder, "evaluation"), { recursive: true });
  const sprite = async (name: string, side: number, values: number[]) => {
    const file = join("evaluation", name);
    await writeSprite(join(run.folder, file), shades(side, values), side);
    return { file, count: values.length, side };
  };
  const galaxies = ids.slice(0, 5).map((id, i) => ({ id, value: 5 - i }));
  return {
    searched: 36,
    equivariance: {
      galaxies: 12,
      before: 0.0321,
      after: 0.0123,
      questions: KAGGLE_TREE.map((_, q) => ({ before: 0.02 + q / 1000, after: 0.01 })),
      examples: [
        {
          id: ids[2]!,
          column: 8,
          label: 0.75,
          plain: Array.from({ length: 12 }, (_, i) => i / 12),
          mirrored: Array.from({ length: 12 }, () => 0.5),
        },
      ],
    },
    filters: await sprite("filters.png", 3, [0, 0.5, 1]),
    maximised: await sprite("maximised.png", 16, [0.25, 0.75]),
    units: [
      { kind: "answer", index: 7, towards: [7], galaxies },
      { kind: "feature", index: 103, towards: [7, 30], galaxies },
    ],
  };
}

const four = (value: number) => value.toFixed(4);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

test("errors, agreement, calibration, hard labels, the tree's rule and mistakes are those of evaluation.json", async () => {
  const run = makeRun("judged");
  writeEvaluation(evaluationFileIn(run.folder), evaluationOf(run));
  const page = await report({ runs: [run.folder], out: join(root, "judged.html") });
  expectWellFormed(page.text);
  expectSelfContained(page);
  expect(page.texts("#trust h2")).toEqual(["How far to trust it"]);
  expect(page.texts("#trust h3")).toEqual([
    "Right where volunteers agree",
    "Question by question",
    "Do fractions mean what they say?",
    "Hard zeros and ones",
    "The tree's rule",
    "Worst mistakes",
  ]);
  expect(page.texts("#trust .missing")).toEqual([]);
  expect(page.texts("#trust p")[0]).toBe(
    "By kaggle evaluate. All is of judged, over 40 labelled galaxies.",
  );

  const { zeros, ones, reliability, violation } = golden;
  const off = four(violation.sum);
  expect(tableOf(page, "trust")).toEqual([
    [
      ...["judged", "40", golden.rmse.toFixed(5), four(reliability.ece)],
      ...[percent(zeros.near), percent(ones.near), off, "–", "–"],
    ],
  ]);

  // A curve for each question: a point for each agreement at which there are galaxies.
  const name = (q: number) => shortName(KAGGLE_TREE[q]!);
  expect(page.texts(".curves figcaption")).toEqual(
    golden.curves.map((curve: number[][], q: number) => `${q + 1}${name(q)}${curve[0]![1]}`),
  );
  for (const [q, figure] of page.all(".curves figure").entries()) {
    const titles = [...figure.querySelectorAll("title")].map((title) => title.textContent);
    expect(titles).toEqual(
      golden.curves[q].map(
        ([threshold, galaxies, accuracy, commonest]: number[]) =>
          `agreement ≥ ${threshold}: ${percent(accuracy!)} of ${galaxies}, commonest answer ${percent(commonest!)}`,
      ),
    );
    // The higher the accuracy the higher the point: the axis is 0 to 1 over 120 pixels.
    const heights = [...figure.querySelectorAll("circle")].map((c) => Number(c.getAttribute("cy")));
    expect(heights).toBeAllClose(
      golden.curves[q].map(([, , accuracy]: number[]) => 8 + 120 * (1 - accuracy!)),
      { atol: 1e-6 },
    );
  }

  const rows = tableOf(page, "trust", 1);
  let column = 0;
  for (const [q, { answerTexts }] of KAGGLE_TREE.entries()) {
    const at = (threshold: number) => {
      const point = golden.curves[q].find(([t]: number[]) => t === threshold);
      return point ? percent(point[2]) : "–";
    };
    expect(rows[2 * q]).toEqual([
      ...[`${q + 1}${name(q)}`, four(golden.questions[q]), String(golden.curves[q][0][1])],
      ...[at(0), at(0.5), at(0.8), four(golden.questionReliability[q])],
    ]);
    expect(rows[2 * q + 1]).toEqual([
      answerTexts!.map((text) => `${text} ${four(golden.answers[column++])}`).join(" · "),
    ]);
  }

  const dots = [...page.document.querySelectorAll("#trust .wide svg title")];
  expect(dots.map((title) => title.textContent)).toEqual(
    reliability.bins.map(
      ([bin, count, predicted, observed]: number[]) =>
        `${bin! / 10} to ${(bin! + 1) / 10}: ${count} predictions, mean ${four(predicted!)}, volunteers ${four(observed!)}`,
    ),
  );
  expect(page.texts("#trust .pair strong")[0]).toBe(four(reliability.ece));
  expect(tableOf(page, "trust", 2)).toEqual([
    ["how many", String(zeros.labels), String(ones.labels)],
    ["mean prediction", four(zeros.mean), four(ones.mean)],
    ["RMSE", four(zeros.rmse), four(ones.rmse)],
    ["within 0.01", percent(zeros.near), percent(ones.near)],
    ["exact", percent(zeros.exact), percent(ones.exact)],
    ["share of all squared error", percent(zeros.errorShare), percent(ones.errorShare)],
  ]);
  const worst = violation.questions.indexOf(violation.sum);
  expect(page.texts("#trust .pair p").at(-1)).toBe(
    `A question's answers add up to the answers that lead to it. Their sums are off by at most ${off}, at question ${name(worst)}; predictions leave 0 to 1 by up to ${four(violation.range)}.`,
  );

  // The mistakes, each with the galaxy's picture and four bars.
  const { mistakes } = readEvaluation(evaluationFileIn(run.folder))!;
  expect(mistakes).toHaveLength(3);
  expect(page.texts(".mistake strong")).toEqual(mistakes.map(({ id }) => String(id)));
  const whole = (share: number) => `${(100 * share).toFixed(0)} %`;
  expect(page.texts(".mistake .answer span")).toEqual(
    mistakes.flatMap(({ votes, predicted }) =>
      [0, 1].map((side) => `${whole(votes[side]!)} → ${whole(predicted[side]!)}`),
    ),
  );
  expect(page.all(".mistake i").map((bar) => bar.getAttribute("style"))).toEqual(
    mistakes.flatMap(({ votes, predicted }) =>
      [votes[0], predicted[0], votes[1], predicted[1]].map(
        (s) => `--share:${(100 * s).toFixed(1)}%`,
      ),
    ),
  );
  expect(page.all(".mistake img").map((image) => image.getAttribute("alt"))).toEqual(
    mistakes.map(({ id }) => `Galaxy ${id}`),
  );
  const names = page.texts(".mistake .answer p").map((text) => text.replace(/\d+ % → \d+ %$/, ""));
  expect(names).toEqual(
    mistakes.flatMap(({ volunteers, network }) =>
      [volunteers, network].map((k) => KAGGLE_TREE.flatMap((q) => q.answerTexts!)[k]),
    ),
  );
  // Its network was not looked at.
  expect(page.texts("#network .missing")[0]).toContain(`kaggle evaluate ${run.folder}`);
});

test("a network's turning, filters, units and the galaxies that excite them are shown", async () => {
  const run = makeRun("looked");
  const look = await makeLook(run);
  writeEvaluation(evaluationFileIn(run.folder), evaluationOf(run, { look }));
  const page = await report({ runs: [run.folder], out: join(root, "looked.html") });
  expectWellFormed(page.text);
  expectSelfContained(page);
  expect(page.texts("#network h3")).toEqual([
    "What turning changes most",
    "Its first filters",
    "What excites its units",
  ]);
  expect(page.texts("#network strong").slice(0, 2)).toEqual(["0.0321", "0.0123"]);
  expect(tableOf(page, "trust")[0]!.slice(-2)).toEqual(["0.0321", "0.0123"]);
  // A ring and a dot for each question; rings move to the right by 0.001 a question.
  const circles = [...page.document.querySelectorAll("#network .wide circle")].map((circle) => ({
    x: Number(circle.getAttribute("cx")),
    ring: circle.parentElement!.getAttribute("stroke") === "var(--muted)",
  }));
  const rings = circles.filter(({ ring }) => ring).map(({ x }) => x);
  expect([rings.length, circles.length]).toEqual([11, 22]);
  const step = rings[1]! - rings[0]!;
  expect(step).toBeGreaterThan(0);
  expect(rings.slice(1).map((x, i) => x - rings[i]!)).toBeAllClose(Array(10).fill(step), {
    atol: 1e-6,
  });
  expect(page.texts(".turned figcaption")).toEqual([`${ids[2]} spiral: no spiral`]);
  expect(page.all(".turned img").map((image) => image.getAttribute("alt"))).toEqual([
    `Galaxy ${ids[2]}`,
  ]);

  // Filters pixel by pixel, units larger and smooth.
  const decode = async (image: Element) => {
    const bytes = Buffer.from(image.getAttribute("src")!.split(",")[1]!, "base64");
    const { data: pixels, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    return { side: info.width, height: info.height, first: pixels[0]! };
  };
  const filters = await Promise.all(page.all(".filters img").map(decode));
  expect(filters).toEqual([0, 128, 255].map((first) => ({ side: 3, height: 3, first })));
  const units = await Promise.all(page.all(".units .most").map(decode));
  expect(units.map(({ side, height }) => [side, height])).toEqual([
    [112, 112],
    [112, 112],
  ]);
  expect(units.map(({ first }) => first)).toBeAllClose([64, 191], { atol: 2 });
  expect(page.texts(".units figcaption")).toEqual([
    "spiral: spiral",
    "feature 103: towards spiral: spiral, arm winding: loose",
  ]);
  for (const figure of page.all(".units figure"))
    expect(
      [...figure.querySelectorAll("img")].slice(1).map((image) => image.getAttribute("alt")),
    ).toEqual(ids.slice(0, 3).map((id) => `Galaxy ${id}`));
});

test("galaxies that the data set does not have go without a picture; without mistakes that is said", async () => {
  const run = makeRun("elsewhere");
  const evaluation = evaluationOf(run);
  const mistakes = evaluation.mistakes.slice(0, 1).map((mistake) => ({ ...mistake, id: 7 }));
  writeEvaluation(evaluationFileIn(run.folder), { ...evaluation, mistakes });
  const options = { runs: [run.folder], out: join(root, "elsewhere.html") };
  const page = await report(options);
  expect(page.texts(".mistake strong")).toEqual(["7"]);
  expect(page.all(".mistake img")).toEqual([]);
  writeEvaluation(evaluationFileIn(run.folder), { ...evaluation, mistakes: [] });
  expect((await report(options)).texts("#trust p").at(-1)).toBe(
    "Where volunteers agree (a(p) ≥ 0.5), elsewhere contradicts them about no galaxy.",
  );
});

/** Predictions of the validation galaxies: the labels, moved a little this or that way. */
async function predict(run: Run, move: number): Promise<void> {
  const values = truth.map((vote, i) => vote + move * Math.sin(i * (1 + 10 * Math.abs(move))));
  await writePredictions(join(run.predictions, "valid.csv"), valid, values);
}

test("a blend is judged by its members' validation predictions, and comes first", async () => {
  const [a, b] = [makeRun("a"), makeRun("b")];
  await predict(a, 0.1);
  await predict(b, -0.2);
  for (const { predictions: folder } of [a, b])
    await writePredictions(join(folder, "test.csv"), [100_001, 100_003], new Float32Array(74));
  const members = [a.folder, b.folder];
  const out = join(root, "submission.csv");
  const result = await blendMembers({ members, out, labels: data, weights: "shared" });
  await evaluateBlend(out, data);
  const evaluation = readEvaluation(evaluationFileOf(out))!;
  const { rmse, fitted } = result.scores!.strategies.find((s) => s.strategy === "shared")!;
  expect(evaluation).toMatchObject({ name: "submission", predictions: out, fitted });
  expect(fitted).toBe(2);
  expect(evaluation.judgement.galaxies).toBe(4);
  expect(evaluation.judgement.rmse).toBeCloseTo(rmse, 6);

  // A run's evaluation of predictions that are others by now is shown, and said to be old.
  writeEvaluation(evaluationFileIn(a.folder), {
    ...evaluation,
    judgement: { ...evaluation.judgement, rmse: 0.5 },
  });
  const options = { runs: members, out: join(root, "blend.html"), blend: out };
  const page = await report(options);
  expect(tableOf(page, "trust").map((cells) => cells.slice(0, 3))).toEqual([
    ["the blend", "4", evaluation.judgement.rmse.toFixed(5)],
    ["a", "4", "0.50000"],
  ]);
  expect(page.texts("#commands code").at(-2)).toBe(
    `npm run kaggle -- evaluate --labels ${data} ${out} ${a.folder}`,
  );
  const [flatters, old] = page.texts("#trust .missing");
  expect(flatters).toContain("2 weights of the blend were fitted to these very galaxies");
  expect(old).toContain(
    `a: ${evaluationFileIn(a.folder)} is of other predictions than there are now`,
  );
  expect(old).toContain("(RMSE 0.5000, now 0.0");

  // Evaluated into a folder, a blend's is found there too; that of another file is not taken for it.
  rmSync(evaluationFileOf(out));
  writeEvaluation(evaluationFileIn(root), evaluation);
  expect(tableOf(await report(options), "trust")).toHaveLength(2);
  writeEvaluation(evaluationFileIn(root), { ...evaluation, predictions: join(root, "other.csv") });
  expect(tableOf(await report(options), "trust")).toHaveLength(1);
  rmSync(evaluationFileIn(root));

  // Chosen by score, the head shows what the choice scores, not the lowest of the six figures.
  const auto = await blendMembers({ members, out, labels: data });
  const { choice, strategies } = auto.scores!;
  expect(unseenRmse(auto)).toBe(choice.rmse);
  expect(choice.withoutFold).toHaveLength(4);
  const chosen = await report(options);
  // The blend was judged before it was blended anew.
  writeEvaluation(evaluationFileOf(out), {
    ...evaluation,
    judgement: { ...evaluation.judgement, rmse: 0.6 },
  });
  expect((await report(options)).texts("#trust .missing").join()).toContain(
    `the blend: ${evaluationFileOf(out)} is of other predictions than there are now (RMSE 0.6000`,
  );
  expect(chosen.texts(".figures .last dd").slice(0, 2)).toEqual([
    four(choice.rmse),
    `2 members, ${auto.strategy} weights, chosen and fitted on other folds`,
  ]);
  expect(chosen.texts("#blend p")[0]).toContain(
    `the RMSE is ${choice.rmse.toFixed(5)}: what new galaxies will show`,
  );
  expect(unseenRmse(result)).toBe(
    strategies.find((s) => s.strategy === "shared")!.crossValidatedRmse,
  );

  // Equal weights are not found on anything.
  await blendMembers({ members, out, labels: data, weights: "uniform" });
  expect((await report(options)).texts(".figures .last dd").at(1)).toBe(
    "2 members, uniform weights",
  );
});

test("a file that is not as kaggle evaluate writes it is named, with what is wrong in it", async () => {
  const run = makeRun("broken");
  const look = await makeLook(run);
  const file = evaluationFileIn(run.folder);
  const good = { formatVersion: 2, ...evaluationOf(run, { look }) };
  const { judgement } = good;
  const cases: [unknown, string][] = [
    [
      { ...good, formatVersion: 1 },
      `expected format version 2 in ${file} but got 1; evaluate again`,
    ],
    [[], `expected format version 2 in ${file} but got undefined; evaluate again`],
    [
      { ...good, judgement: { ...judgement, rmse: "low" } },
      `expected number for judgement.rmse in ${file} but got "low"; evaluate again`,
    ],
    [
      { ...good, mistakes: [{ ...good.mistakes[0], votes: [1] }] },
      `for mistakes.0.votes.1 in ${file} but got undefined; evaluate again`,
    ],
    [
      { ...good, judgement: { ...judgement, answers: judgement.answers.slice(1) } },
      `expected 37 entries for judgement.answers in ${file} but got 36; evaluate again`,
    ],
    [
      { ...good, look: { ...look, units: look.units.slice(1) } },
      `expected 2 entries for look.units in ${file} but got 1; evaluate again`,
    ],
  ];
  const options = { runs: [run.folder], out: join(root, "broken.html") };
  for (const [value, message] of cases) {
    writeFileSync(file, JSON.stringify(value));
    await expect(report(options)).rejects.toThrow(message);
  }
  writeFileSync(file, "{");
  await expect(report(options)).rejects.toThrow(`evaluate: ${file} is not JSON:`);

  writeFileSync(file, JSON.stringify(good));
  const filters = join(run.folder, look.filters!.file);
  writeFileSync(filters, "no picture");
  await expect(report(options)).rejects.toThrow(
    `report: expected 3 pictures of 3 x 3 pixels in ${filters} but could not read them`,
  );
  rmSync(filters);
  await expect(report(options)).rejects.toThrow(
    `report: expected ${filters}, as ${file} says, but it is not there; evaluate again`,
  );
});
