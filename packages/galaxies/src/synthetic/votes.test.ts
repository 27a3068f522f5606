import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import { COLUMNS, KAGGLE_TREE } from "../tree.ts";
import type { GalaxyParameters } from "./parameters.ts";
import { sampleGalaxy } from "./sample.ts";
import { castVotes, galaxyVotes } from "./votes.ts";

const galaxies = Array.from({ length: 1500 }, (_, i) => sampleGalaxy(createRng(11, i)));

/** A well resolved face-on spiral with a small bulge, changed as a test needs it. */
function spiral(change: (params: GalaxyParameters) => void = () => {}): GalaxyParameters {
  const params = sampleGalaxy(createRng(1));
  Object.assign(params, {
    kind: "galaxy",
    magnification: 1.6,
    seeing: 3,
    brightness: 200,
    inclination: 20,
    knots: 0.3,
    dustLane: 0,
    disturbance: 0,
    irregularity: 0,
  } satisfies Partial<GalaxyParameters>);
  params.bulge = { fraction: 0.15, sersic: 2, radius: 6, axisRatio: 0.8, boxiness: 0, colour: 0.8 };
  params.disk = { radius: 16, thickness: 0.15, colour: 0.3 };
  params.bar.strength = 0;
  params.spiral = { strength: 0.9, arms: 2, pitch: 18, flocculence: 0.1, turn: 1 };
  params.ring.strength = 0;
  params.lens.strength = 0;
  params.companion.strength = 0;
  params.intruder.strength = 0;
  change(params);
  return params;
}

function vote(params: GalaxyParameters, column: string): number {
  return galaxyVotes(params)[COLUMNS.indexOf(column)]!;
}

/** The share of an answer among those who answered its question. */
function share(params: GalaxyParameters, column: string): number {
  const question = KAGGLE_TREE.find((q) => q.answers.includes(column))!;
  const total = question.answers.reduce((sum, name) => sum + vote(params, name), 0);
  return vote(params, column) / total;
}

function expectTreeSums(votes: Float32Array, tolerance: number): void {
  for (const { answers, parents } of KAGGLE_TREE) {
    const value = (name: string): number => votes[COLUMNS.indexOf(name)]!;
    const sum = answers.reduce((total, name) => total + value(name), 0);
    const weight = parents ? parents.reduce((total, name) => total + value(name), 0) : 1;
    expect(Math.abs(sum - weight)).toBeLessThan(tolerance);
  }
}

test("expected votes lie in [0, 1] and obey Kaggle's tree to 1e-6", () => {
  for (const params of galaxies.slice(0, 300)) {
    const votes = galaxyVotes(params);
    expect(votes.every((v) => v >= 0 && v <= 1)).toBe(true);
    expectTreeSums(votes, 1e-6);
  }
});

test("every one of the 37 answers wins its question for some of 1500 sampled galaxies", () => {
  const winners = new Set<string>();
  for (const params of galaxies) {
    const votes = galaxyVotes(params);
    for (const { answers } of KAGGLE_TREE) {
      const values = answers.map((name) => votes[COLUMNS.indexOf(name)]!);
      const best = Math.max(...values);
      // A question that hardly anyone was asked has no winner.
      if (best > 0.1) winners.add(answers[values.indexOf(best)]!);
    }
  }
  expect(COLUMNS.filter((name) => !winners.has(name))).toEqual([]);
});

test("the mean votes are those of a survey: about half smooth, half featured, few artifacts", () => {
  const mean = (column: string): number =>
    galaxies.reduce((sum, params) => sum + vote(params, column), 0) / galaxies.length;
  expect(mean("Class1.1")).toBeCloseTo(0.45, 0.9);
  expect(mean("Class1.2")).toBeCloseTo(0.52, 0.9);
  expect(mean("Class1.3")).toBeLessThan(0.05);
  expect(mean("Class6.1")).toBeCloseTo(0.22, 0.9);
  expect(mean("Class4.1")).toBeCloseTo(0.22, 0.9);
});

const levels = [0, 0.25, 0.5, 0.75, 1];
const rising: [string, string, (params: GalaxyParameters, t: number) => void][] = [
  ["a stronger bar", "Class3.1", (p, t) => (p.bar.strength = t)],
  ["stronger arms", "Class4.1", (p, t) => (p.spiral.strength = t)],
  ["stronger arms", "Class1.2", (p, t) => (p.spiral.strength = t)],
  ["a larger inclination", "Class2.1", (p, t) => (p.inclination = 50 + 40 * t)],
  ["a larger bulge", "Class5.4", (p, t) => (p.bulge.fraction = 0.1 + 0.6 * t)],
  ["a smaller bulge", "Class5.1", (p, t) => (p.bulge.fraction = 0.4 - 0.4 * t)],
  ["a stronger ring", "Class6.1", (p, t) => (p.ring.strength = t)],
  ["a stronger ring", "Class8.1", (p, t) => (p.ring.strength = t)],
  ["a brighter arc", "Class8.2", (p, t) => (p.lens.strength = t)],
  ["more tidal damage", "Class8.3", (p, t) => (p.disturbance = t)],
  ["more irregularity", "Class8.4", (p, t) => (p.irregularity = t)],
  ["a brighter intruding star", "Class8.5", (p, t) => (p.intruder.strength = t)],
  ["a brighter companion", "Class8.6", (p, t) => (p.companion.strength = t)],
  ["more dust", "Class8.7", (p, t) => (p.dustLane = t)],
  ["a rounder whole", "Class7.1", (p, t) => (p.inclination = 75 - 75 * t)],
  ["a flatter whole", "Class7.3", (p, t) => (p.inclination = 75 * t)],
  ["a smaller pitch angle", "Class10.1", (p, t) => (p.spiral.pitch = 40 - 32 * t)],
  ["a larger pitch angle", "Class10.3", (p, t) => (p.spiral.pitch = 8 + 32 * t)],
  ["more flocculent arms", "Class11.6", (p, t) => (p.spiral.flocculence = t)],
  [
    "a boxier bulge seen from the side",
    "Class9.2",
    (p, t) => {
      p.inclination = 88;
      p.bulge.boxiness = t;
    },
  ],
];

test.each(rising)("%s raises the share of %s", (_, column, change) => {
  const shares = levels.map((t) =>
    share(
      spiral((p) => change(p, t)),
      column,
    ),
  );
  for (let i = 1; i < shares.length; i++) expect(shares[i]!).toBeGreaterThan(shares[i - 1]!);
  expect(shares.at(-1)! - shares[0]!).toBeGreaterThan(0.1);
});

test.each([1, 2, 3, 4, 6])("%d clear arms win question 11", (arms) => {
  const params = spiral((p) => {
    p.spiral.arms = arms;
    p.spiral.pitch = 28;
  });
  const answers = [1, 2, 3, 4, 5, 6].map((k) => vote(params, `Class11.${k}`));
  expect(answers.indexOf(Math.max(...answers))).toBe(Math.min(arms, 5) - 1);
});

test.each([
  ["farther away", (p: GalaxyParameters) => (p.magnification = 5)],
  ["fainter", (p: GalaxyParameters) => (p.brightness = 20)],
  ["behind worse air", (p: GalaxyParameters) => (p.seeing = 4.2)],
])("the same spiral %s looks smoother", (_, change) => {
  expect(vote(spiral(change), "Class1.1")).toBeGreaterThan(vote(spiral(), "Class1.1") + 0.005);
});

test("a star is called a star", () => {
  expect(
    vote(
      spiral((p) => (p.kind = "star")),
      "Class1.3",
    ),
  ).toBeGreaterThan(0.8);
});

test("volunteers' answers are multiples of 1 / volunteers that obey the tree", () => {
  for (const [i, params] of galaxies.slice(0, 100).entries()) {
    const votes = castVotes(createRng(5, i), galaxyVotes(params), 40);
    expectTreeSums(votes, 1e-6);
    expect(votes.every((v) => Math.abs(v * 40 - Math.round(v * 40)) < 1e-4)).toBe(true);
  }
});

test("many volunteers come to the expected votes", () => {
  const expected = galaxyVotes(galaxies[3]!);
  expect(castVotes(createRng(5), expected, 40_000)).toBeAllClose(expected, { atol: 0.01 });
});

test("the same seed gives the same galaxy and the same volunteers", () => {
  const again = sampleGalaxy(createRng(11, 8));
  expect(again).toEqual(galaxies[8]);
  const votes = galaxyVotes(again);
  expect(castVotes(createRng(3), votes)).toEqual(castVotes(createRng(3), votes));
  expect(castVotes(createRng(3), votes)).not.toEqual(castVotes(createRng(4), votes));
});

test("parameters are plain data: JSON gives them back", () => {
  for (const params of galaxies.slice(0, 50))
    expect(JSON.parse(JSON.stringify(params))).toEqual(params);
});

test("a number of volunteers that is none is refused", () => {
  expect(() => castVotes(createRng(1), new Float32Array(37), 0)).toThrow(
    new RangeError("castVotes: expected a positive integer for volunteers but got 0"),
  );
  expect(() => castVotes(createRng(1), new Float32Array(3))).toThrow(
    new RangeError("castVotes: expected 37 fractions for votes but got 3"),
  );
});
