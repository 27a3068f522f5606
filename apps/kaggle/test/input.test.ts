import { createRng, type Draw } from "@gz/augment";
import { transforms } from "@gz/ensemble";
import { chooseGalaxy, detectSources, renderGalaxy, sampleGalaxy } from "@gz/galaxies";
import fc from "fast-check";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import {
  type Centre,
  inputLength,
  trainingDraw,
  withView,
  writeInput,
} from "../src/images/input.ts";
import { trainingOrder } from "../src/images/order.ts";
import { meanLabel, splitRows } from "../src/images/split.ts";
import { loadRecipe } from "../src/recipe/recipe.ts";

const best = loadRecipe("best");
const modern = loadRecipe("modern");
const SIDE = 424;

/** An image of the given value at each (row, column), in all three channels, as float32. */
function image(side: number, value: (row: number, column: number) => number) {
  const data = new Float32Array(side * side * 3);
  for (let i = 0; i < side * side; i++)
    data.fill(value(Math.floor(i / side), i % side), 3 * i, 3 * i + 3);
  return ndarray(data, [side, side, 3]);
}

test("the winner's view of a linear image is 10 r + c at his sampling points", () => {
  const out = new Float32Array(inputLength(best));
  writeInput(
    best,
    image(SIDE, (row, column) => (10 * row + column) / 5000),
    out,
  );
  const at = (row: number, column: number) => out[(row * 69 + column) * 3]! * 5000;
  // From an independent computation: output [0][0] is 1204.5, [34][34] is 2326.5.
  expect([at(0, 0), at(34, 34)]).toBeAllClose([1204.5, 2326.5], { rtol: 1e-6 });
  // Views are centred on 211.5: the 45-degree one has the same middle.
  expect([out[(69 * 69 + 34 * 69 + 34) * 3]! * 5000]).toBeAllClose([2326.5], { rtol: 1e-6 });
});

test("shrunk images are sampled at the same places", () => {
  // A linear image keeps its values under an area mean; only the pixel grid changes.
  const value = (row: number, column: number) => (10 * row + column) / 5000;
  const half = image(SIDE / 2, (row, column) => value(2 * row + 0.5, 2 * column + 0.5));
  const draw = { zoom: 1.1, rotation: 77, shear: 0, translation: [3, -2] as const, flip: true };
  const shrunk = new Float32Array(inputLength(modern));
  writeInput(modern, half, shrunk, draw);
  const full = { ...modern, input: { ...modern.input, shrink: 1 as const } };
  const plain = new Float32Array(inputLength(full));
  writeInput(full, image(SIDE, value), plain, draw);
  expect(shrunk).toBeAllClose(plain, { rtol: 0, atol: 2e-6 });
});

test("colour is added to every pixel of all views, clipped where the recipe says so", () => {
  const black = image(SIDE, () => 0);
  const out = new Float32Array(inputLength(best));
  writeInput(best, black, out, undefined, { color: [-0.1, 0, 0.25] });
  const pixels = out.length / 3;
  for (const at of [0, 34 * 69 + 34, 69 * 69 + 5, pixels - 1])
    expect([...out.slice(3 * at, 3 * at + 3)]).toEqual([0, 0, 0.25]);
  const unclipped = new Float32Array(inputLength(modern));
  writeInput(
    modern,
    image(SIDE / 2, () => 0),
    unclipped,
    undefined,
    { color: [-0.1, 0, 0.25] },
  );
  expect(unclipped[0]).toBeCloseTo(-0.1, 7);
});

test("views of other spans are those of recipes with that span, under the same draw", () => {
  const spanned = (span: number | number[], angles: number[]) => ({
    ...best,
    input: { ...best.input, span, angles },
  });
  const picture = image(SIDE, (row, column) => ((row * 7919 + column * 104_729) % 997) / 997);
  const draw = { zoom: 1.1, rotation: 77, shear: 5, translation: [3, -2] as const, flip: true };
  const three = spanned([207, 424, 69], [0, 45, 0]);
  const out = new Float32Array(inputLength(three));
  writeInput(three, picture, out, draw);
  const length = 69 * 69 * 3;
  [
    [207, 0],
    [424, 45],
    [69, 0],
  ].forEach(([span, angle], view) => {
    const alone = spanned(span!, [angle!]);
    const expected = new Float32Array(inputLength(alone));
    writeInput(alone, picture, expected, draw);
    expect(out.subarray(view * length, (view + 1) * length)).toEqual(expected);
    expect(withView(three, view)).toEqual(alone);
  });
});

test("gamma, colour and noise are applied in this order, noise of its own for every pixel of all views", () => {
  const noisy = { ...best, augment: { ...best.augment, clip: false } };
  const grey = image(SIDE, () => 0.25);
  const pixels = { gamma: 0.5, color: [0.1, 0, -0.1], noise: { std: 0.2, seeds: [1, 2, 3, 1] } };
  const write = (recipe: typeof best) => {
    const out = new Float32Array(inputLength(recipe));
    writeInput(recipe, grey, out, undefined, pixels);
    return out;
  };
  const out = write(noisy);
  const rng = createRng(1, 2, 3, 1);
  const expected = Array.from(out, (_, i) => [0.6, 0.5, 0.4][i % 3]! + rng.normal(0, 0.2));
  expect(out).toBeAllClose(expected, { rtol: 0, atol: 1e-6 });
  expect(Math.min(...out)).toBeLessThan(0);
  expect(write(best)).toEqual(out.map((v) => Math.min(1, Math.max(0, v))));
});

test("gamma and noise are of (seed, step, slot), and leave the other draws as they are", () => {
  const augment = { ...best.augment, gamma: 1.5, noise: 0.1 };
  const drawn = (slot: number) => trainingDraw({ ...best, augment }, 4, 100, slot);
  const gammas = Array.from({ length: 300 }, (_, slot) => {
    const { draw, pixels } = drawn(slot);
    const { gamma, ...rest } = pixels;
    const plain = trainingDraw(best, 4, 100, slot);
    expect({ draw, color: rest.color }).toEqual({ draw: plain.draw, color: plain.pixels.color });
    expect(rest.noise).toEqual({ std: 0.1, seeds: [4, 100, slot, 1] });
    return gamma!;
  });
  expect(Object.keys(trainingDraw(best, 4, 100, 0).pixels)).toEqual(["color"]);
  expect(drawn(7)).toEqual(drawn(7));
  expect(new Set(gammas).size).toBe(300);
  expect(Math.min(...gammas)).toBeGreaterThanOrEqual(1 / 1.5);
  expect(Math.max(...gammas)).toBeLessThan(1.5);
  const brighter = gammas.filter((gamma) => gamma < 1).length;
  expect(Math.abs(brighter - 150)).toBeLessThan(40); // standard deviation 8.7
});

test("a draw depends on seed, step and slot, and stays in the recipe's ranges", () => {
  const draws = Array.from({ length: 300 }, (_, slot) => trainingDraw(best, 1, 5, slot));
  expect(trainingDraw(best, 1, 5, 7)).toEqual(draws[7]);
  expect(trainingDraw(best, 2, 5, 7)).not.toEqual(draws[7]);
  for (const { draw } of draws) {
    expect(draw.zoom).toBeGreaterThanOrEqual(1 / 1.3);
    expect(draw.zoom).toBeLessThanOrEqual(1.3);
    expect(Math.max(...draw.translation.map(Math.abs))).toBeLessThanOrEqual(4);
    expect(draw.shear).toBe(0);
  }
  const flips = draws.filter(({ draw }) => draw.flip).length;
  expect(flips).toBeGreaterThan(110); // 150 expected, standard deviation 8.7
  expect(flips).toBeLessThan(190);
});

test("every chunk of the training order is drawn without replacement, and needs no history", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 80 }),
      (seed, images, chunk) => {
        const order = trainingOrder(seed, images, chunk);
        const size = Math.min(images, chunk);
        const positions = Array.from({ length: 3 * size }, (_, i) => order(i));
        for (let c = 0; c < 3; c++)
          expect(new Set(positions.slice(c * size, (c + 1) * size)).size).toBe(size);
        expect(trainingOrder(seed, images, chunk)(2 * size)).toBe(positions[2 * size]);
      },
    ),
  );
});

test("the split is the winner's: 55,421 rows train, the last 6,157 validate", () => {
  expect(splitRows(61_578)).toEqual({ train: 55_421, valid: 6157 });
  const labels = Float32Array.from({ length: 3 * 37 }, (_, i) => i);
  expect(meanLabel(labels, 2, 37)[3]).toBe((3 + 40) / 2);
});

test("quarter turns of the demo's transforms turn the view without touching it", () => {
  const out = new Float32Array(inputLength(modern));
  const turned = new Float32Array(inputLength(modern));
  const picture = image(SIDE / 2, (row, column) => ((row * 7919 + column * 104_729) % 997) / 997);
  const [identity, , quarter] = transforms({ rotations: [0, 90], flips: [false, true] });
  writeInput(modern, picture, out, identity);
  writeInput(modern, picture, turned, quarter);
  const { size } = modern.input;
  const at = (data: Float32Array, row: number, column: number) => data[(row * size + column) * 3]!;
  // Output x of a view turned by 90 degrees runs along the source's y.
  const expected = [];
  const got = [];
  for (const [row, column] of [
    [0, 0],
    [3, size - 14],
    [40, 11],
    [size - 1, size - 1],
  ] as const) {
    got.push(at(turned, row, column));
    expected.push(at(out, column, size - 1 - row));
  }
  expect(got).toBeAllClose(expected, { rtol: 0, atol: 1e-5 });
});

const pysex = loadRecipe("maxout2048-extradense-pysex");

/** Where the first view's first two pixels and the one below lie in the source: the columns of its affine. */
function affineOf(recipe: typeof best, draw: Draw, centre: Centre) {
  const { shrink, size } = recipe.input;
  const full = (pixel: number) => (shrink * pixel + (shrink - 1) / 2) / SIDE;
  const out = new Float32Array(inputLength(recipe));
  const sample = (picture: ReturnType<typeof image>, at: number) => {
    writeInput(recipe, picture, out, draw, undefined, centre);
    return out[3 * at]! * SIDE;
  };
  return [image(SIDE / shrink, (_, column) => full(column)), image(SIDE / shrink, full)].map(
    (picture) => {
      const middle = 34 * size + 34; // away from the borders, where the image is mirrored
      const [here, right, below] = [middle, middle + 1, middle + size].map((at) =>
        sample(picture, at),
      ) as [number, number, number];
      const [a, b] = [right - here, below - here];
      return [a, b, here - 34 * (a + b)];
    },
  );
}

// The winner's numbers for his first training galaxy, under zoom 1.2, rotation 30, translation (2, -3).
test("a galaxy is centred before it is augmented, in one warp, as the winner did", () => {
  const centre = { x: 211.927, y: 215.121, a: 30.689, petrosian: 5.28 };
  const draw = { zoom: 1.2, rotation: 30, shear: 0, translation: [2, -3] as const, flip: false };
  const [x, y] = affineOf(pysex, draw, centre) as [number[], number[]];
  expect(x).toBeAllClose([2.1926399234, -1.26592125, 182.444039105], { rtol: 0, atol: 5e-3 });
  expect(y).toBeAllClose([1.26592125, 2.1926399234, 94.491709105], { rtol: 0, atol: 5e-3 });
  // The same of an image at half size, whose pixels are means of four.
  const half = { ...pysex, input: { ...pysex.input, shrink: 2 as const } };
  const [xOfHalf, yOfHalf] = affineOf(half, draw, centre) as [number[], number[]];
  expect(xOfHalf).toBeAllClose(x, { rtol: 0, atol: 5e-3 });
  expect(yOfHalf).toBeAllClose(y, { rtol: 0, atol: 5e-3 });
});

test("a centred galaxy lies in the middle of its view, its Petrosian radius 160 pixels of the source", () => {
  const size = { width: SIDE, height: SIDE };
  const measure = (channel: Parameters<typeof detectSources>[0]) =>
    chooseGalaxy(detectSources(channel, { threshold: 2 }), size)!;
  const parameters = sampleGalaxy(createRng(4));
  parameters.centre = [231, 196];
  const galaxy = measure(renderGalaxy(parameters, { rng: createRng(4, 1) }).pick(null, null, 1));
  expect(Math.hypot(galaxy.x - 231, galaxy.y - 196)).toBeLessThan(4);
  // A view of the whole image, pixel by pixel.
  const whole = { ...pysex, input: { ...pysex.input, size: SIDE, span: SIDE, angles: [0] } };
  const out = new Float32Array(inputLength(whole));
  const picture = renderGalaxy(parameters, { rng: createRng(4, 1) });
  writeInput(whole, picture, out, undefined, undefined, galaxy);
  const seen = measure(ndarray(out, [SIDE, SIDE, 3]).pick(null, null, 1));
  expect(Math.hypot(seen.x - 211.5, seen.y - 211.5)).toBeLessThan(0.5);
  expect(galaxy.a * galaxy.petrosian).not.toBeCloseTo(160, -1);
  // Enlarged noise is smoother, so that more of the faint rim is found; the radius comes in steps of 0.66 a.
  expect(Math.abs(seen.a * seen.petrosian - 160)).toBeLessThan(0.66 * seen.a);
});

test("recipes without photometry, and images without a galaxy, stay as they are", () => {
  const picture = image(SIDE, (row, column) => ((row * 7919 + column * 104_729) % 997) / 997);
  const [plain, off, none] = [1, 2, 3].map(() => new Float32Array(inputLength(best)));
  writeInput(best, picture, plain!);
  writeInput(best, picture, off!, undefined, undefined, { x: 200, y: 220, a: 20, petrosian: 5 });
  writeInput(pysex, picture, none!, undefined, undefined, undefined);
  expect(off).toEqual(plain);
  expect(none).toEqual(plain);
});
