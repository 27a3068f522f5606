import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import { createCanvas } from "./canvas.ts";
import type { GalaxyParameters } from "./parameters.ts";
import { addGalaxy, renderGalaxy } from "./render.ts";
import { sampleGalaxy } from "./sample.ts";

const SIZE = 424;

/** A sampled galaxy reduced to a plain spheroid with nothing about it. */
function spheroid(change: Partial<GalaxyParameters> = {}): GalaxyParameters {
  let i = 0;
  let params = sampleGalaxy(createRng(2, i));
  while (params.bulge.fraction < 1) params = sampleGalaxy(createRng(2, ++i));
  params.intruder.strength = 0;
  params.companion.strength = 0;
  params.lens.strength = 0;
  return { ...params, disturbance: 0, dustLane: 0, fieldDensity: 0, magnification: 2, ...change };
}

/** Mean of the three colours. */
function grey(pixels: Uint8Array): Float64Array {
  return Float64Array.from({ length: pixels.length / 3 }, (_, p) => {
    return (pixels[3 * p]! + pixels[3 * p + 1]! + pixels[3 * p + 2]!) / 3;
  });
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

test("the same parameters and seed give the same bytes, another seed other noise", () => {
  const params = sampleGalaxy(createRng(4));
  const render = (seed: number): Buffer =>
    Buffer.from(renderGalaxy(params, { rng: createRng(seed) }).data);
  expect(render(1).equals(render(1))).toBe(true);
  expect(render(1).equals(render(2))).toBe(false);
});

test("the sky's level and noise in green are within those of the survey", () => {
  // 98 % of 200 real images have means of 2.4 to 7.3 and standard deviations of 2.0 to 5.1 here.
  const means: number[] = [];
  const deviations: number[] = [];
  for (let i = 0; i < 12; i++) {
    const rng = createRng(6, i);
    const { data } = renderGalaxy(
      { ...sampleGalaxy(rng), kind: "galaxy", fieldDensity: 0 },
      { rng },
    );
    const corner: number[] = [];
    for (let y = 0; y < 50; y++)
      for (let x = 0; x < 50; x++) corner.push(data[3 * (y * SIZE + x) + 1]!);
    const mean = corner.reduce((a, b) => a + b, 0) / corner.length;
    means.push(mean);
    deviations.push(Math.sqrt(corner.reduce((sum, v) => sum + (v - mean) ** 2, 0) / corner.length));
  }
  for (const mean of means) expect(mean).toBeGreaterThan(2);
  for (const mean of means) expect(mean).toBeLessThan(7.5);
  for (const deviation of deviations) expect(deviation).toBeGreaterThan(2);
  for (const deviation of deviations) expect(deviation).toBeLessThan(5.1);
  // The medians of the real images are 4.0 and 2.9; JPEG will smooth ours a little.
  expect(median(means)).toBeCloseTo(4, 0);
  expect(median(deviations)).toBeLessThan(3.9);
  expect(median(deviations)).toBeGreaterThan(2.5);
});

test("a galaxy's brightest part is as bright as a real one's", () => {
  // The middle 7 x 7 pixels of real galaxies have a median of 172 in green, 96 % lie in 112 to 213.
  const centres = Array.from({ length: 25 }, (_, i) => {
    const rng = createRng(7, i);
    const { data } = renderGalaxy(sampleGalaxy(rng), { rng });
    return data[3 * (212 * SIZE + 212) + 1]!;
  });
  expect(median(centres)).toBeGreaterThan(140);
  expect(median(centres)).toBeLessThan(200);
});

test("the light's centroid is the galaxy's centre to a pixel", () => {
  const centre: [number, number] = [209, 216];
  const { data } = renderGalaxy(spheroid({ centre }), { rng: createRng(9) });
  const light = grey(data);
  let [total, x, y] = [0, 0, 0];
  for (let j = 140; j < 292; j++)
    for (let i = 133; i < 285; i++) {
      const w = Math.max(0, light[j * SIZE + i]! - 20);
      total += w;
      x += w * i;
      y += w * j;
    }
  expect(Math.abs(x / total - centre[0])).toBeLessThan(1);
  expect(Math.abs(y / total - centre[1])).toBeLessThan(1);
});

test.each([20, 70, 150])("an inclined disk at position angle %d points there", (angle) => {
  const params = spheroid({ angle, inclination: 65, kind: "galaxy" });
  params.bulge.fraction = 0.1;
  params.disk = { radius: 16, thickness: 0.15, colour: 0.5 };
  params.spiral.strength = 0;
  params.bar.strength = 0;
  params.ring.strength = 0;
  const light = grey(renderGalaxy(params, { rng: createRng(1) }).data);
  let [xx, yy, xy] = [0, 0, 0];
  for (let j = 0; j < SIZE; j++)
    for (let i = 0; i < SIZE; i++) {
      const w = Math.max(0, light[j * SIZE + i]! - 25);
      xx += w * (i - params.centre[0]) ** 2;
      yy += w * (j - params.centre[1]) ** 2;
      xy += w * (i - params.centre[0]) * (j - params.centre[1]);
    }
  const measured = (Math.atan2(2 * xy, xx - yy) / 2) * (180 / Math.PI);
  const off = ((measured - angle + 270) % 180) - 90;
  expect(Math.abs(off)).toBeLessThan(4);
});

test("two arms leave a pattern of two in the light around the centre, three arms of three", () => {
  for (const arms of [2, 3]) {
    const params = spheroid({ inclination: 0, magnification: 1.5, brightness: 200 });
    params.bulge = { ...params.bulge, fraction: 0.1, radius: 5 };
    params.disk = { radius: 16, thickness: 0.15, colour: 0.3 };
    params.bar.strength = 0;
    params.ring.strength = 0;
    params.knots = 0;
    params.spiral = { strength: 0.9, arms, pitch: 22, flocculence: 0, turn: 1 };
    const canvas = createCanvas(params.magnification);
    addGalaxy(createRng(3), canvas, params);
    // Power of each angular wave number on circles of 20 to 40 frame pixels.
    const power = [1, 2, 3, 4, 5].map((m) => {
      let sum = 0;
      for (let r = 20; r <= 40; r += 2) {
        let [re, im] = [0, 0];
        for (let a = 0; a < 360; a++) {
          const phi = (a * Math.PI) / 180;
          const x = (params.centre[0] - 211.5 + r * Math.cos(phi)) / 1.5 + (canvas.size - 1) / 2;
          const y = (params.centre[1] - 211.5 + r * Math.sin(phi)) / 1.5 + (canvas.size - 1) / 2;
          const value = canvas.bands[1][Math.round(y) * canvas.size + Math.round(x)]!;
          re += value * Math.cos(m * phi);
          im += value * Math.sin(m * phi);
        }
        sum += Math.hypot(re, im);
      }
      return sum;
    });
    expect(power.indexOf(Math.max(...power)) + 1).toBe(arms);
  }
});

test("old stars are redder than young ones", () => {
  const centreColour = (colour: number): number => {
    const params = spheroid();
    params.bulge.colour = colour;
    const { data } = renderGalaxy(params, { rng: createRng(1) });
    const p = 3 * (212 * SIZE + 212);
    return data[p]! / data[p + 2]!;
  };
  expect(centreColour(0.9)).toBeGreaterThan(1.4);
  expect(centreColour(0)).toBeLessThan(0.8);
});

test("another size shows the same field", () => {
  const params = spheroid();
  const large = renderGalaxy(params, { rng: createRng(1) });
  const small = renderGalaxy(params, { rng: createRng(1), size: 212 });
  expect(small.shape).toEqual([212, 212, 3]);
  const differences: number[] = [];
  for (let y = 80; y < 130; y++)
    for (let x = 80; x < 130; x++) {
      let sum = 0;
      for (const [j, i] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const)
        sum += large.get(2 * y + j, 2 * x + i, 1) / 4;
      differences.push(Math.abs(sum - small.get(y, x, 1)));
    }
  expect(median(differences)).toBeLessThan(4);
});

test("every sampled galaxy renders to a picture that is neither black nor white", () => {
  for (let i = 0; i < 40; i++) {
    const rng = createRng(12, i);
    const { data } = renderGalaxy(sampleGalaxy(rng), { rng, size: 106 });
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    expect(mean).toBeGreaterThan(2);
    expect(mean).toBeLessThan(60);
  }
});

test("a size that is none is refused", () => {
  expect(() => renderGalaxy(spheroid(), { rng: createRng(1), size: 0 })).toThrow(
    new RangeError("renderGalaxy: expected a positive integer for size but got 0"),
  );
});
