import fc from "fast-check";
import { expect, test } from "vitest";
import { createRng, type Rng } from "./rng.ts";

const N = 200_000;
const many = (draw: (rng: Rng) => number): number[] => {
  const rng = createRng(20140404);
  return Array.from({ length: N }, () => draw(rng));
};
const mean = (xs: number[]): number => xs.reduce((a, b) => a + b) / xs.length;

test("the same seeds give the same stream; their values, number and order matter", () => {
  const start = (...seeds: number[]): string => {
    const rng = createRng(...seeds);
    return [rng.uniform(), rng.normal(), rng.int(1000), rng.bool(), rng.permutation(5)].join();
  };
  expect(start(1, 2)).toBe(start(1, 2));
  const seeds = [
    [1, 2],
    [2, 1],
    [1],
    [1, 0],
    [0],
    [0, 0],
    [-1],
    [2 ** 32],
    [2 ** 32 - 1],
    [2 ** 53 - 1],
  ];
  expect(new Set(seeds.map((s) => start(...s))).size).toBe(seeds.length);
});

test("neighbouring streams do not resemble each other", () => {
  const products = Array.from({ length: N / 10 }, (_, slot) => {
    const a = createRng(7, slot).normal();
    const b = createRng(7, slot + 1).normal();
    return a * b;
  });
  expect(Math.abs(mean(products))).toBeLessThan(4 / Math.sqrt(products.length));
});

test("this stream stays the same for ever", () => {
  const rng = createRng(2014, 4, 4);
  expect([
    rng.uniform(),
    rng.uniform(-4, 4),
    rng.normal(),
    rng.normal(10, 2),
  ]).toMatchInlineSnapshot(`
    [
      0.846741378938484,
      0.9976217324188337,
      -0.029781762746292326,
      6.876769980399491,
    ]
  `);
  expect([rng.int(6), rng.int(2 ** 32), rng.bool(), ...rng.permutation(8)]).toMatchInlineSnapshot(`
    [
      4,
      2110286138,
      true,
      3,
      2,
      6,
      1,
      0,
      7,
      5,
      4,
    ]
  `);
});

test("uniforms fill [lo, hi) evenly", () => {
  const counts = new Array<number>(16).fill(0);
  for (const u of many((rng) => rng.uniform(-4, 4))) counts[Math.floor((u + 4) * 2)]!++;
  expect(chiSquare(counts)).toBeLessThan(37.7); // 15 degrees of freedom, p = 0.001
  expect(createRng(1).uniform(3, 3)).toBe(3);
  expect(createRng(1).uniform(-0, 0)).toBe(0);
  // Between neighbours there is nothing but lo: half of the sums would round to hi.
  const hi = 1 + Number.EPSILON;
  expect(many((rng) => rng.uniform(1, hi)).every((u) => u === 1)).toBe(true);
});

test("normals have the Gaussian's moments and tails, and neighbours are independent", () => {
  const z = many((rng) => rng.normal());
  const tolerance = 4 / Math.sqrt(N);
  expect(Math.abs(mean(z))).toBeLessThan(tolerance);
  expect(Math.abs(mean(z.map((x) => x ** 2)) - 1)).toBeLessThan(tolerance * Math.SQRT2);
  expect(Math.abs(mean(z.map((x) => x ** 3)))).toBeLessThan(tolerance * Math.sqrt(15));
  expect(Math.abs(mean(z.map((x) => x ** 4)) - 3)).toBeLessThan(tolerance * Math.sqrt(96));
  expect(Math.abs(mean(z.slice(1).map((x, i) => x * z[i]!)))).toBeLessThan(tolerance);
  // Probabilities of the bins between -3, -2.5, ... 3, from SciPy's norm.cdf.
  const half = [0.19146246, 0.14988228, 0.09184805, 0.04405707, 0.01654047, 0.00485977, 0.0013499];
  const expected = [...half.toReversed(), ...half];
  const counts = expected.map(() => 0);
  for (const x of z) counts[Math.min(13, Math.max(0, Math.floor(x * 2) + 7))]!++;
  expect(chiSquare(counts, expected)).toBeLessThan(34.6); // 13 degrees of freedom, p = 0.001
  expect(createRng(1).normal(5, 0)).toBe(5);
});

test("integers are unbiased, also where n does not divide 2^32", () => {
  const counts = new Array<number>(7).fill(0);
  for (const i of many((rng) => rng.int(7))) counts[i]!++;
  expect(chiSquare(counts)).toBeLessThan(22.5); // 6 degrees of freedom, p = 0.001
  // Without rejection, values below 2^30 would come up twice as often as the rest.
  const low = many((rng) => rng.int(3 * 2 ** 30)).filter((i) => i < 2 ** 30).length / N;
  expect(Math.abs(low - 1 / 3)).toBeLessThan(0.005);
  expect(createRng(1).int(1)).toBe(0);
});

test("bool is true with its probability", () => {
  const share = (p: number): number => mean(many((rng) => Number(rng.bool(p))));
  expect(Math.abs(share(0.1) - 0.1)).toBeLessThan(0.003);
  expect([share(0), share(1)]).toEqual([0, 1]);
});

test("a permutation holds every index once, and all orders are equally likely", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.integer(), (n, seed) => {
      const order = createRng(seed).permutation(n);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
  );
  const counts: Record<string, number> = {};
  const rng = createRng(3);
  for (let i = 0; i < 24_000; i++) {
    const order = rng.permutation(4).join("");
    counts[order] = (counts[order] ?? 0) + 1;
  }
  expect(Object.keys(counts)).toHaveLength(24);
  expect(chiSquare(Object.values(counts))).toBeLessThan(49.8); // 23 degrees of freedom, p = 0.001
});

test("arguments are checked", () => {
  const rng = createRng(1);
  expect(() => createRng()).toThrow("createRng: expected at least one seed but got none");
  expect(() => createRng(1, 0.5)).toThrow(
    "createRng: expected a safe integer for a seed but got 0.5",
  );
  expect(() => rng.uniform(Number.NaN)).toThrow(
    "uniform: expected a finite number for lo but got NaN",
  );
  expect(() => rng.uniform(2, 1)).toThrow(
    "uniform: expected a finite number >= 2 for hi but got 1",
  );
  expect(() => rng.uniform(-1e308, 1e308)).toThrow(
    "uniform: expected a finite number for hi - lo but got Infinity",
  );
  expect(() => rng.normal(Infinity)).toThrow(
    "normal: expected a finite number for mean but got Infinity",
  );
  expect(() => rng.normal(0, -1)).toThrow(
    "normal: expected a finite number >= 0 for std but got -1",
  );
  expect(() => rng.int(0)).toThrow("int: expected an integer from 1 to 2^32 for n but got 0");
  expect(() => rng.bool(1.5)).toThrow("bool: expected a probability from 0 to 1 for p but got 1.5");
  expect(() => rng.permutation(-1)).toThrow(
    "permutation: expected an integer from 0 to 2^32 - 1 for n but got -1",
  );
});

function chiSquare(
  counts: number[],
  expected: number[] = counts.map(() => 1 / counts.length),
): number {
  const total = counts.reduce((a, b) => a + b);
  return counts.reduce(
    (sum, count, i) => sum + (count - total * expected[i]!) ** 2 / (total * expected[i]!),
    0,
  );
}
