/** What excites a unit: sampling and its transpose, the prior, the choice of units, and a network whose answer is known. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng, warp } from "@gz/augment";
import { viewAffines } from "@gz/views";
import * as tf from "@tensorflow/tfjs";
import ndarray from "ndarray";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canvasSide, maximise } from "../src/evaluation/ascent.ts";
import { firstFilters } from "../src/evaluation/filters.ts";
import { estimatePrior, gradientOf, pictureOf } from "../src/evaluation/prior.ts";
import { planSampling, sample, sampleGradient } from "../src/evaluation/sampling.ts";
import { blur } from "../src/evaluation/smooth.ts";
import { readSprite, writeSprite } from "../src/evaluation/sprite.ts";
import { chooseUnits, probe, type Unit, unitValues, unitWeights } from "../src/evaluation/units.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
const folder = mkdtempSync(join(tmpdir(), "gz-maximise-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tree = [{ name: "kind", answers: ["left", "right"] }];

function noise(seed: number, length: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal(0, 1));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
}

test("views of a canvas are those of @gz/augment, and gradients go back through the transpose", () => {
  const [size, side] = [9, 17];
  const source = { width: side, height: side };
  const affines = viewAffines({ source, size, step: 1, angles: [0, 45, 200] });
  const plan = planSampling(affines, size, side);
  const canvas = noise(1, side * side * 3);
  const views = new Float32Array(3 * size * size * 3);
  sample(plan, canvas, views);
  affines.forEach((affine, v) => {
    const image = ndarray(canvas, [side, side, 3]);
    const expected = warp(image, affine, { height: size, width: size, border: "edge" });
    expect(views.subarray(v * 243, (v + 1) * 243)).toBeAllClose(expected.data, { atol: 1e-5 });
  });
  const toViews = noise(2, views.length);
  const back = noise(3, canvas.length);
  sampleGradient(plan, toViews, back);
  expect(dot(canvas, back)).toBeCloseTo(dot(views, toViews), 3);
});

test("a blur keeps a constant, and spreads a point as the Gaussian does", () => {
  expect(blur(new Float32Array(5 * 5 * 3).fill(0.3), 5, 1.2)).toBeAllClose(Array(75).fill(0.3));
  const point = new Float32Array(11 * 11 * 3);
  point[3 * (5 * 11 + 5) + 1] = 1;
  const spread = blur(point, 11, 1);
  const norm = [-3, -2, -1, 0, 1, 2, 3].reduce((sum, x) => sum + Math.exp((-x * x) / 2), 0);
  const at = (x: number, y: number) => spread[3 * ((5 + y) * 11 + 5 + x) + 1]!;
  for (const [x, y] of [
    [0, 0],
    [1, 0],
    [-1, 2],
    [3, -3],
  ] as const)
    expect(at(x, y)).toBeCloseTo(Math.exp(-(x * x + y * y) / 2) / norm ** 2, 6);
  expect(at(4, 0)).toBe(0);
});

test("galaxies are standard normal in the prior's coordinates", () => {
  // Rings of 3 x 3 pixels: the middle, and all around it. Green follows red; blue varies by itself.
  const side = 3;
  const rng = createRng(4);
  const pictures = Array.from({ length: 400 }, () => {
    const picture = new Float32Array(27);
    for (let pixel = 0; pixel < 9; pixel++) {
      const [middle, deviation] = pixel === 4 ? [0.6, 0.2] : [0.2, 0.05];
      const [x, y, z] = [rng.normal(0, 1), rng.normal(0, 1), rng.normal(0, 1)];
      picture[3 * pixel] = middle + deviation * x;
      picture[3 * pixel + 1] = middle + deviation * (0.6 * x + 0.8 * y);
      picture[3 * pixel + 2] = middle + 0.5 * deviation * z;
    }
    return picture;
  });
  const prior = estimatePrior(pictures, side);
  const pixel = (values: Float32Array, p: number) => values.subarray(3 * p, 3 * p + 3);
  expect(pixel(prior.mean, 4)).toBeAllClose([0.6, 0.6, 0.6], { atol: 0.03 });
  expect(pixel(prior.mean, 0)).toBeAllClose([0.2, 0.2, 0.2], { atol: 0.005 });
  expect(pixel(prior.mean, 8)).toEqual(pixel(prior.mean, 0));
  expect(pixel(prior.deviation, 4)).toBeAllClose([0.2, 0.2, 0.1], { rtol: 0.1 });
  expect(pixel(prior.deviation, 2)).toBeAllClose([0.05, 0.05, 0.025], { rtol: 0.1 });
  expect(prior.color).toBeAllClose([1, 0.6, 0.8, 0, 0, 1], { atol: 0.06 });

  const [z, toPicture] = [noise(5, 27), noise(6, 27)];
  const [picture, origin] = [new Float32Array(27), new Float32Array(27)];
  pictureOf(prior, z, picture);
  pictureOf(prior, new Float32Array(27), origin);
  expect(origin).toEqual(prior.mean);
  const linear = picture.map((value, i) => value - origin[i]!);
  const back = toPicture.slice();
  gradientOf(prior, back);
  expect(dot(z, back)).toBeCloseTo(dot(linear, toPicture), 5);
});

test("units: contrasts of answers, and features that move the answers and differ", () => {
  const layout = { features: 4, tree };
  expect([...unitWeights({ kind: "answer", index: 1, towards: [1] }, layout)]).toEqual([
    0, 0, 0, 0, -1, 1,
  ]);
  expect([...unitWeights({ kind: "feature", index: 2, towards: [] }, layout)]).toEqual([
    0, 0, 1, 0, 0, 0,
  ]);
  // Feature 0 is strong and pushes right; 1 repeats it, weaker; 2 is still; 3 is weak, on its own, and pushes left.
  const outputs = Float32Array.from(
    [
      [2, 1, 5, 1],
      [-2, -1, 5, 1],
      [2, 1, 5, -1],
      [-2, -1, 5, -1],
    ].flatMap((features) => [...features, 0.25, 1]),
  );
  const head = Float32Array.from([0, 1, 0, 1, 3, 0, 0.5, 0]);
  expect(chooseUnits({ ...layout, head }, outputs)).toEqual([
    { kind: "answer", index: 0, towards: [0] },
    { kind: "answer", index: 1, towards: [1] },
    { kind: "feature", index: 0, towards: [1, 0] },
    { kind: "feature", index: 3, towards: [0, 1] },
  ]);
  expect(unitValues({ kind: "answer", index: 1, towards: [1] }, layout, outputs)).toEqual([
    0.75, 0.75, 0.75, 0.75,
  ]);
  expect(unitValues({ kind: "feature", index: 3, towards: [] }, layout, outputs)).toEqual([
    1, 1, -1, -1,
  ]);
});

/** Views to (brightness of the left half, of the right half, red of it all, relu(red - 100): never excited). */
function halves(size: number, views: number): tf.LayersModel {
  const input = tf.input({ shape: [views, size, size, 3] });
  const flat = tf.layers.flatten().apply(input);
  const units = tf.layers.dense({ name: "features", units: 4, activation: "relu" });
  const head = tf.layers.dense({ name: "head", units: 2 });
  const output = head.apply(units.apply(flat)) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: output });
  const scale = 1 / (views * size * size);
  const kernel = Array.from({ length: views * size * size * 3 }, (_, i) => {
    const left = Math.floor(i / 3) % size < size / 2;
    const red = i % 3 === 0 ? scale : 0;
    return [left ? scale : 0, left ? 0 : scale, red, red];
  });
  units.setWeights([tf.tensor2d(kernel), tf.tensor1d([0, 0, 0, -100])]);
  head.setWeights([
    tf.tensor2d([
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 0],
    ]),
    tf.tensor1d([0, 0]),
  ]);
  return model;
}

test.each([[[0]], [[0, 180]]])(
  "views at %j: the pictures that excite show what is asked for",
  async (angles) => {
    const size = 12;
    const base = loadRecipe("tiny");
    const recipe = { ...base, input: { ...base.input, size, angles } };
    const network = probe(halves(size, angles.length), tree);
    expect(network.features).toBe(4);
    const side = canvasSide(recipe);
    expect(side).toBe(20);
    const prior = {
      side,
      mean: new Float32Array(side * side * 3).fill(0.4),
      deviation: new Float32Array(side * side * 3).fill(0.1),
      color: [1, 0, 1, 0, 0, 1],
    };
    const units: Unit[] = [
      { kind: "answer", index: 0, towards: [0] },
      { kind: "answer", index: 1, towards: [1] },
      { kind: "feature", index: 2, towards: [0] },
      { kind: "feature", index: 3, towards: [0] },
    ] as const;
    const progress: number[] = [];
    const options = {
      steps: 12,
      seed: 3,
      onProgress: (step: number) => progress.push(step),
      signal: new AbortController().signal,
    };
    const before = tf.memory().numTensors;
    const climb = () => maximise(network, recipe, prior, units, options);
    const pictures = await climb();
    expect(tf.memory().numTensors).toBe(before);
    expect(progress).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));

    const mean = (picture: Float32Array, keep: (column: number, channel: number) => boolean) => {
      const kept = picture.filter((_, i) => keep(Math.floor(i / 3) % size, i % 3));
      return kept.reduce((a, b) => a + b, 0) / kept.length;
    };
    const contrast = pictures.map(
      (picture) => mean(picture, (x) => x < size / 2) - mean(picture, (x) => x >= size / 2),
    );
    // Of a view and the same turned round, left and right cancel; of one view they are as asked.
    if (angles.length === 1) {
      expect(contrast[0]).toBeGreaterThan(0.1);
      expect(contrast[1]).toBeLessThan(-0.1);
    } else for (const value of contrast.slice(0, 2)) expect(Math.abs(value)).toBeLessThan(0.1);
    const reddening = (picture: Float32Array) =>
      mean(picture, (_, channel) => channel === 0) - mean(picture, (_, channel) => channel === 1);
    expect(reddening(pictures[2]!)).toBeGreaterThan(0.1);
    // A unit that nothing excites is led by chance, and stays within reach of the mean.
    const silent = pictures[3]!.map((value) => (value - 0.4) / 0.1);
    expect(Math.sqrt(dot(silent, silent) / silent.length)).toBeGreaterThan(0.3);
    for (const picture of pictures)
      expect(Math.sqrt(dot(picture, picture) / picture.length)).toBeLessThan(0.8);

    // The same seed, the same pictures; a stopped climb ends where it is.
    expect(await climb()).toEqual(pictures);
    const stopped = new AbortController();
    stopped.abort();
    const early = await maximise(network, recipe, prior, units, {
      ...options,
      signal: stopped.signal,
    });
    expect(mean(early[0]!, () => true)).toBeCloseTo(0.4, 1);
  },
);

test("the first filters as pictures, and a network without any", () => {
  const model = tf.sequential({
    layers: [
      tf.layers.reshape({ inputShape: [1, 4, 4, 3], targetShape: [4, 4, 3] }),
      tf.layers.conv2d({ filters: 2, kernelSize: 2, useBias: false }),
      tf.layers.conv2d({ filters: 5, kernelSize: 1 }),
    ],
  });
  const kernel = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? i : 0));
  model.layers[1]!.setWeights([tf.tensor(kernel, [2, 2, 3, 2])]);
  const { side, pictures } = firstFilters(model)!;
  expect(side).toBe(2);
  expect(pictures[0]).toBeAllClose(Array.from({ length: 12 }, (_, i) => 0.5 + i / 22));
  expect([...pictures[1]!]).toEqual(Array(12).fill(0.5));
  expect(firstFilters(halves(4, 1))).toBeUndefined();
});

test("a sprite is cut into the pictures that it was made of", async () => {
  const file = join(folder, "sprite.png");
  const pictures = Array.from({ length: 14 }, (_, tile) =>
    Float32Array.from({ length: 4 * 4 * 3 }, (_, i) => ((17 * tile + 5 * i) % 256) / 255),
  );
  pictures[3]![0] = 1.7;
  pictures[3]![1] = -0.2;
  await writeSprite(file, pictures, 4);
  expect(readdirSync(folder)).toEqual(["sprite.png"]);
  const tiles = await readSprite(file, 14, 4);
  for (const [tile, png] of tiles.entries()) {
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([4, 4, 3]);
    expect([...data]).toEqual(
      Array.from(pictures[tile]!, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
    );
  }
});
