import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import type { GalaxyParameters } from "./parameters.ts";
import { renderGalaxy } from "./render.ts";
import { sampleGalaxy } from "./sample.ts";
import { galaxyVotes } from "./votes.ts";

const render = (params: GalaxyParameters): Uint8Array =>
  renderGalaxy(params, { rng: createRng(1), size: 32 }).data;

test.each<[string, (params: GalaxyParameters) => unknown, string]>([
  ["magnification", (p) => (p.magnification = Number.NaN), "a number from 0.1 to 424"],
  ["magnification", (p) => (p.magnification = -1), "a number from 0.1 to 424"],
  ["seeing", (p) => (p.seeing = 0), "a number from 0.1 to 100"],
  ["brightness", (p) => (p.brightness = Infinity), "a number >= 0"],
  ["centre.1", (p) => (p.centre[1] = Number.NaN), "a finite number"],
  ["inclination", (p) => (p.inclination = 91), "a number from 0 to 90"],
  ["bulge.fraction", (p) => (p.bulge.fraction = -0.1), "a number from 0 to 1"],
  ["disk.radius", (p) => (p.disk.radius = 0), "a positive number"],
  ["disk.thickness", (p) => (p.disk.thickness = 0), "a number above 0, up to 1"],
  ["spiral.arms", (p) => (p.spiral.arms = 2.5), "an integer from 0 to 20"],
  ["spiral.pitch", (p) => (p.spiral.pitch = 0), "a number above 0, up to 90"],
  ["spiral.turn", (p) => (p.spiral.turn = 0), "1 or -1"],
  ["knots", (p) => (p.knots = "many" as unknown as number), "a number from 0 to 1"],
  ["lens", (p) => Reflect.deleteProperty(p, "lens"), "an object"],
  ["ring.radius", (p) => Reflect.deleteProperty(p.ring, "radius"), "a positive number"],
  ["fieldDensity", (p) => (p.fieldDensity = 1e5), "a number from 0 to 10000"],
  ["sky.noise", (p) => (p.sky.noise = 0), "a positive number"],
  ["kind", (p) => (p.kind = "comet" as "star"), '"galaxy", "star" or "trail"'],
])("%s, %s: refused by name wherever parameters are given", (name, change, what) => {
  const params = sampleGalaxy(createRng(3));
  change(params);
  const value = name.split(".").reduce((object, key) => (object as never)[key], params as unknown);
  const got = typeof value === "string" ? JSON.stringify(value) : String(value);
  const message = `expected ${what} for ${name} but got ${got}`;
  expect(() => render(params)).toThrow(`renderGalaxy: ${message}`);
  expect(() => galaxyVotes(params)).toThrow(`galaxyVotes: ${message}`);
});

test("parameters that are none at all are refused", () => {
  expect(() => galaxyVotes(undefined as unknown as GalaxyParameters)).toThrow(
    "galaxyVotes: expected an object for params but got undefined",
  );
});

test("every sampled galaxy is within the ranges", () => {
  for (let seed = 0; seed < 3000; seed++) galaxyVotes(sampleGalaxy(createRng(8, seed)));
});

test("a galaxy at the ends of the ranges has votes and pixels all the same", () => {
  const params = { ...sampleGalaxy(createRng(3)), seeing: 0.1, brightness: 100, knots: 1 };
  params.bulge = { ...params.bulge, fraction: 0.5, sersic: 0.3, boxiness: 1 };
  params.spiral = { strength: 1, arms: 0, pitch: 90, flocculence: 1, turn: -1 };
  for (const inclination of [0, 90]) {
    const votes = galaxyVotes({ ...params, inclination });
    expect(votes.every((vote) => vote >= 0 && vote <= 1)).toBe(true);
    expect(Math.max(...render({ ...params, inclination }))).toBeGreaterThan(100);
  }
});

test("a field has as many stars and galaxies as it is to have, above the 745 that one exponential reaches", () => {
  const params = { ...sampleGalaxy(createRng(3)), brightness: 0, magnification: 1 };
  const light = (fieldDensity: number): number => {
    const { data } = renderGalaxy({ ...params, fieldDensity }, { rng: createRng(6) });
    return data.reduce((sum, value) => sum + value, 0);
  };
  const [none, some, many] = [light(0), light(1200), light(2400)];
  expect((many! - none!) / (some! - none!)).toBeGreaterThan(1.7);
});
