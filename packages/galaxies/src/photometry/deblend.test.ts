import { expect, test } from "vitest";
import { deblend } from "./deblend.ts";
import { createForest } from "./forest.ts";
import { findRegions } from "./regions.ts";
import { measureShape } from "./shape.ts";

const [WIDTH, HEIGHT] = [64, 48];

interface Blob {
  x: number;
  y: number;
  height: number;
  sigma: number;
}

function blobs(...list: Blob[]) {
  const data = new Float32Array(WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++)
    for (const { x, y, height, sigma } of list) {
      const square = ((i % WIDTH) - x) ** 2 + (Math.floor(i / WIDTH) - y) ** 2;
      data[i]! += height * Math.exp(-square / (2 * sigma * sigma));
    }
  const plane = { data, width: WIDTH, height: HEIGHT };
  return { light: plane, filtered: plane };
}

function objects(images: ReturnType<typeof blobs>, threshold: number) {
  const regions = findRegions(images.filtered, threshold, 5);
  const forest = createForest(regions.pixels.length);
  return regions.groups.flatMap((group) => deblend(images, regions, group, threshold, forest));
}

test("pixels that touch at corners are one group; too few are none", () => {
  const data = new Float32Array(WIDTH * HEIGHT);
  for (let k = 0; k < 6; k++) data[(10 + k) * WIDTH + 20 + k] = 1; // a diagonal of 6
  data.fill(1, 30 * WIDTH, 30 * WIDTH + 4); // a row of 4 at the edge
  data.fill(1, 40 * WIDTH - 3, 40 * WIDTH + 3); // the end of a row and the start of the next: not neighbours
  const { groups, pixels, place } = findRegions({ data, width: WIDTH, height: HEIGHT }, 0.5, 5);
  expect(groups).toEqual([[0, 6]]);
  expect([...pixels.subarray(0, 6)]).toEqual(
    [0, 1, 2, 3, 4, 5].map((k) => (10 + k) * WIDTH + 20 + k),
  );
  expect(place[11 * WIDTH + 21]).toBe(1);
  expect(place[0]).toBe(-1);
});

test("two blobs that meet above the threshold are two objects, each with its own light", () => {
  const images = blobs(
    { x: 20, y: 24, height: 1, sigma: 4 },
    { x: 38, y: 26, height: 0.5, sigma: 3 },
  );
  const found = objects(images, 0.01).sort((a, b) => a.shape.x - b.shape.x);
  expect(found).toHaveLength(2);
  expect(found[0]!.shape.x).toBeCloseTo(20, 0);
  expect(found[1]!.shape.x).toBeCloseTo(38, 0);
  expect(found[0]!.shape.flux).toBeCloseTo(2 * Math.PI * 16, -1);
  expect(found[1]!.shape.flux).toBeCloseTo(0.5 * 2 * Math.PI * 9, -1);
  // Every pixel of the group belongs to one of them.
  const together = findRegions(images.filtered, 0.01, 5);
  expect(together.groups).toHaveLength(1);
  const owned = new Set(found.flatMap(({ pixels }) => [...pixels]));
  expect(owned).toEqual(new Set(together.pixels));
  expect(found[0]!.pixels.length + found[1]!.pixels.length).toBe(owned.size);
});

test("a bump of less than 0.005 of the flux is no object of its own", () => {
  const faint = { x: 38, y: 26, height: 0.04, sigma: 1 };
  const large = { x: 20, y: 24, height: 1, sigma: 5 };
  expect(objects(blobs(large, faint), 0.0005)).toHaveLength(1);
  expect(objects(blobs(large, { ...faint, height: 0.4 }), 0.0005)).toHaveLength(2);
});

test("three in a row fall apart at different levels", () => {
  const images = blobs(
    { x: 14, y: 20, height: 1, sigma: 3 },
    { x: 25, y: 20, height: 0.8, sigma: 3 },
    { x: 45, y: 20, height: 0.6, sigma: 4 },
  );
  const found = objects(images, 0.002).map(({ shape }) => Math.round(shape.x));
  expect(found.sort((a, b) => a - b)).toEqual([14, 25, 45]);
});

test("moments of an inclined Gaussian", () => {
  const data = new Float32Array(WIDTH * HEIGHT);
  const [cos, sin] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  for (let i = 0; i < data.length; i++) {
    const dx = (i % WIDTH) - 30.25;
    const dy = Math.floor(i / WIDTH) - 22.5;
    const [u, v] = [dx * cos + dy * sin, dy * cos - dx * sin];
    data[i] = Math.exp(-((u / 4) ** 2) / 2 - (v / 2) ** 2 / 2);
  }
  const plane = { data, width: WIDTH, height: HEIGHT };
  const shape = measureShape({ light: plane, filtered: plane }, Int32Array.from(data.keys()), 0);
  const { x, y, a, b, theta, ellipse, flux } = shape;
  expect([x, y, a, b, theta]).toBeAllClose([30.25, 22.5, 4, 2, 30], { rtol: 1e-4 });
  expect(flux).toBeCloseTo(2 * Math.PI * 8, 3);
  // One standard deviation along the long axis.
  const square =
    ellipse.xx * (4 * cos) ** 2 + ellipse.yy * (4 * sin) ** 2 + ellipse.xy * 16 * cos * sin;
  expect(square).toBeCloseTo(1, 4);
});
