import { expected } from "../_check.ts";
import type { GalaxyParameters } from "./parameters.ts";

/** What a number must be, in words, and the test of it. */
type Rule = readonly [what: string, holds: (value: number) => boolean];

/** A rule for each parameter: one that is added to `GalaxyParameters` does not compile without. */
type Rules<T> = { readonly [K in keyof T]: T[K] extends number ? Rule : Rules<T[K]> };

const ANY: Rule = ["a finite number", Number.isFinite];
const POSITIVE: Rule = ["a positive number", (v) => v > 0 && v < Infinity];
const SHARE = within(0, 1);
const NOT_NEGATIVE: Rule = ["a number >= 0", (v) => v >= 0 && v < Infinity];
const RATIO: Rule = ["a number above 0, up to 1", (v) => v > 0 && v <= 1];

const RULES: Rules<Omit<GalaxyParameters, "kind">> = {
  // The camera's pixels are (424 / magnification)^2: memory sets the lower limit.
  magnification: within(0.1, 424),
  // A blur far below a pixel has no weight on any of them.
  seeing: within(0.1, 100),
  brightness: NOT_NEGATIVE,
  centre: [ANY, ANY],
  angle: ANY,
  inclination: within(0, 90),
  bulge: {
    fraction: SHARE,
    // Further down the expansion of b_n fails.
    sersic: within(0.3, 12),
    radius: POSITIVE,
    axisRatio: RATIO,
    boxiness: SHARE,
    colour: SHARE,
  },
  disk: { radius: POSITIVE, thickness: RATIO, colour: SHARE },
  bar: { strength: SHARE, length: POSITIVE, angle: ANY },
  spiral: {
    strength: SHARE,
    arms: ["an integer from 0 to 20", (v) => Number.isInteger(v) && v >= 0 && v <= 20],
    // An arm that winds infinitely often has no angle.
    pitch: ["a number above 0, up to 90", (v) => v > 0 && v <= 90],
    flocculence: SHARE,
    turn: ["1 or -1", (v) => v === 1 || v === -1],
  },
  knots: SHARE,
  ring: { strength: SHARE, radius: POSITIVE },
  dustLane: SHARE,
  disturbance: SHARE,
  irregularity: SHARE,
  lens: { strength: SHARE, radius: POSITIVE, angle: ANY, span: within(0, 360) },
  companion: {
    strength: SHARE,
    ratio: NOT_NEGATIVE,
    distance: NOT_NEGATIVE,
    angle: ANY,
    size: POSITIVE,
  },
  intruder: { strength: SHARE, distance: NOT_NEGATIVE, angle: ANY },
  // Each of them is drawn.
  fieldDensity: within(0, 10_000),
  sky: { level: [ANY, ANY, ANY], noise: POSITIVE },
};

/** @throws TypeError that names the first parameter, written by hand, that no galaxy can have */
export function checkParameters(caller: string, params: GalaxyParameters): void {
  check(caller, "params", RULES, params);
  if (!["galaxy", "star", "trail"].includes(params.kind))
    throw expected(caller, '"galaxy", "star" or "trail"', "kind", params.kind);
}

function check(caller: string, name: string, rules: object, value: object): void {
  if (typeof value !== "object" || value === null) throw expected(caller, "an object", name, value);
  for (const [key, rule] of Object.entries(rules) as [keyof typeof value, Rule | object][]) {
    const path = name === "params" ? key : `${name}.${key}`;
    const given: unknown = value[key];
    if (!isRule(rule)) check(caller, path, rule, given as object);
    else if (typeof given !== "number" || !rule[1](given))
      throw expected(caller, rule[0], path, given);
  }
}

function isRule(rule: Rule | object): rule is Rule {
  return Array.isArray(rule) && typeof rule[0] === "string";
}

function within(low: number, high: number): Rule {
  return [`a number from ${low} to ${high}`, (v) => v >= low && v <= high];
}
