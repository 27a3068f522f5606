import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import { estimateSky, subtractSky } from "./sky.ts";

/** Gaussian noise about a level that may depend on the place. */
function noise(width: number, height: number, level: (x: number, y: number) => number) {
  const rng = createRng(3);
  const data = new Float32Array(width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) data[i] = level(x, y) + rng.normal(0, 0.01);
  return { data, width, height };
}

test("finds level and noise of a flat sky, whatever shines in a few of its cells", () => {
  const image = noise(320, 256, (x, y) => (Math.hypot(x - 150, y - 120) < 20 ? 0.8 : 0.2));
  const sky = estimateSky(image);
  expect([sky.columns, sky.rows]).toEqual([5, 4]);
  expect(sky.level).toBeAllClose(Array(20).fill(0.2), { rtol: 0, atol: 0.001 });
  expect(sky.noise).toBeCloseTo(0.01, 3);
});

test("subtracts a sky that slopes, up to the edges", () => {
  // Seven whole cells. From the middle of the outermost one to the edge the sky changes by 0.0128, and by 0.0096.
  const size = 448;
  const image = noise(size, size, (x, y) => 0.1 + 0.0004 * x - 0.0003 * y);
  subtractSky(image, estimateSky(image));
  const places = [0, 107, 214, 321, 428];
  for (const y of places)
    for (const x of places) {
      let sum = 0;
      for (let dy = 0; dy < 20; dy++)
        for (let dx = 0; dx < 20; dx++) sum += image.data[(y + dy) * size + x + dx]!;
      expect(Math.abs(sum / 400), `${x}, ${y}`).toBeLessThan(0.0035);
    }
});

test("a constant image has no noise to speak of: thresholds count from 1", () => {
  const sky = estimateSky({ data: new Float32Array(80 * 70).fill(0.25), width: 80, height: 70 });
  expect(sky.level).toBeAllClose([0.25, 0.25, 0.25, 0.25], { rtol: 0, atol: 1e-6 });
  expect(sky.noise).toBe(1);
});

test("an image smaller than a cell has one level", () => {
  const image = noise(30, 20, () => 0.5);
  const sky = estimateSky(image);
  subtractSky(image, sky);
  expect(sky.level.length).toBe(1);
  expect(Math.abs(image.data.reduce((a, b) => a + b) / 600)).toBeLessThan(0.001);
});
