/**
 * How a crowd answers each of the 11 questions about a galaxy: what is made out in the picture, and what is said of it.
 */
import { diskAxisRatio } from "./disk.ts";
import type { GalaxyParameters } from "./parameters.ts";

/** What a person makes out in the picture, on which all answers rest; all from 0 to 1. */
interface Impression {
  /** How well details are seen at all, and details of an inclined disk. */
  clarity: number;
  seen: number;
  hasDisk: number;
  /** Cosine of the inclination. */
  facing: number;
  edgeOn: number;
  arms: number;
  /** Whether one arm can be told from the next. */
  countable: number;
}

/** For each question, in the tree's order, the fractions among those who are asked it. */
export function conditionalAnswers(params: GalaxyParameters): number[][] {
  const impression = look(params);
  const { edgeOn, arms, seen } = impression;
  const barred = sigmoid(8 * params.bar.strength * (0.3 + 0.7 * seen) - 2.9);
  const spiral = sigmoid(8.5 * Math.sqrt(arms) * (0.35 + 0.65 * seen) - 2.9);
  const prominence = Math.sqrt(params.bulge.fraction) + 0.06 * params.bar.strength;
  const odd = oddThings(params, impression);
  const oddness = 0.05 + 0.9 * either(...odd);
  return [
    smoothOrFeatured(params, impression),
    yesOrNo(0.015 + 0.97 * edgeOn),
    yesOrNo(barred),
    yesOrNo(spiral),
    ordered(prominence, [0.15, 0.47, 0.78], 0.07),
    yesOrNo(oddness),
    roundness(params, impression),
    normalise(odd.map((strength, i) => SPECULATION[i]! + 3 * strength ** 1.5)),
    bulgeFromTheSide(params, impression),
    ordered(params.spiral.pitch, [14.5, 24.5], 3.2),
    armCount(params, impression),
  ];
}

function look(params: GalaxyParameters): Impression {
  const { inclination, disk, spiral, bulge } = params;
  const clarity = featureClarity(params);
  const hasDisk = 1 - step(0.75, 0.99, bulge.fraction);
  const facing = Math.cos((inclination * Math.PI) / 180);
  const thin = 1 - step(0.3, 0.5, disk.thickness);
  const edgeOn = hasDisk * sigmoid((inclination - 77) / 3.2) * thin;
  const countable = armClarity(params);
  const visible = (0.4 + 0.6 * countable) * (0.6 + 0.4 * facing) * (1 - edgeOn);
  return {
    clarity,
    seen: clarity * Math.sqrt(facing),
    hasDisk,
    facing,
    edgeOn,
    arms: hasDisk * spiral.strength * visible,
    countable,
  };
}

/** Question 1: smooth, features or disk, star or artifact. */
function smoothOrFeatured(params: GalaxyParameters, impression: Impression): number[] {
  const { clarity, hasDisk, facing, edgeOn, arms } = impression;
  const { disturbance, companion, irregularity } = params;
  const feature = either(
    0.95 * Math.sqrt(arms),
    0.45 * hasDisk * params.bar.strength * facing,
    0.9 * params.ring.strength,
    0.93 * edgeOn,
    0.75 * Math.max(disturbance, 0.75 * companion.strength, 0.8 * irregularity),
    0.6 * params.dustLane,
    0.5 * params.lens.strength,
    0.12 * hasDisk,
  );
  const features = sigmoid(7 * feature * (0.3 + 0.7 * clarity) - 2.4);
  const artifact = params.kind === "galaxy" ? 0.006 + 0.03 * (1 - clarity) ** 3 : 0.86;
  return [(1 - artifact) * (1 - features), (1 - artifact) * features, artifact];
}

/** Question 7, by the axis ratio of the whole, which blur makes rounder. */
function roundness(params: GalaxyParameters, { hasDisk, clarity }: Impression): number[] {
  const { bulge, disk, inclination } = params;
  const flat = hasDisk * diskAxisRatio(inclination, disk.thickness);
  const whole = bulge.fraction * bulge.axisRatio + (1 - bulge.fraction) * flat;
  const apparent = whole + 0.12 * (1 - whole) * (1 - clarity);
  return ordered(apparent, [0.4, 0.76], 0.055).reverse();
}

/** Question 8's answers: ring, lens, disturbed, irregular, other, merger, dust lane. */
function oddThings(params: GalaxyParameters, { clarity, facing }: Impression): number[] {
  const visible = 0.35 + 0.65 * clarity;
  return [
    0.95 * params.ring.strength ** 1.5 * visible * step(0.1, 0.5, facing),
    0.9 * params.lens.strength * visible,
    0.85 * params.disturbance * visible,
    0.85 * params.irregularity * visible,
    params.kind === "galaxy" ? 0.75 * params.intruder.strength : 0.7,
    0.95 * params.companion.strength,
    0.9 * params.dustLane ** 2 * visible,
  ];
}

// What those answer to question 8 who found a galaxy odd for no reason.
const SPECULATION = [0.03, 0.015, 0.035, 0.05, 0.08, 0.04, 0.004];

/** Question 9: rounded, boxy, no bulge. */
function bulgeFromTheSide({ bulge }: GalaxyParameters, { clarity }: Impression): number[] {
  const some = sigmoid((Math.sqrt(bulge.fraction) - 0.27) / 0.05);
  const boxy = some * sigmoid(9 * bulge.boxiness * (0.35 + 0.65 * clarity) - 4.1);
  return [some - boxy, boxy, 1 - some];
}

/** Question 11: 1, 2, 3, 4, more than 4, can't tell. */
function armCount({ spiral }: GalaxyParameters, { seen, countable }: Impression): number[] {
  const cannotTell = sigmoid(
    6 * spiral.flocculence +
      2.2 * (1 - seen) +
      0.15 * (spiral.arms - 2) +
      3 * (0.8 - countable) -
      4.7,
  );
  // Five or more are one answer: they lie a little farther from 4 than 4 from 3.
  const most = 5.4;
  const confusion = 0.36 + 0.36 * (1 - seen);
  const guesses = [1, 2, 3, 4, most].map((n) => {
    const off = (n - Math.min(spiral.arms, most)) / confusion;
    return 0.012 + Math.exp(-0.5 * off * off);
  });
  return [...normalise(guesses).map((p) => p * (1 - cannotTell)), cannotTell];
}

function yesOrNo(yes: number): [number, number] {
  return [yes, 1 - yes];
}

/** How well details are seen, 0 to 1: sharp against the galaxy's size, bright against the noise. */
function featureClarity(params: GalaxyParameters): number {
  // R90 is about 50 frame pixels for all; how many blurs is that?
  const blurs = 50 / (params.seeing * params.magnification);
  const sharp = blurs ** 2 / (blurs ** 2 + 3.5 ** 2);
  const bright = params.brightness / (params.brightness + 55);
  return sharp * bright;
}

/** Whether the eye can follow one arm: the gap to the next one outwards, in blurs, 0 to 1. */
function armClarity({ spiral, seeing, magnification }: GalaxyParameters): number {
  const gap = (2 * Math.PI * Math.tan((spiral.pitch * Math.PI) / 180)) / Math.max(1, spiral.arms);
  const blurs = (30 * gap) / (seeing * magnification);
  return blurs ** 2 / (blurs ** 2 + 1);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function step(lo: number, hi: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - lo) / (hi - lo)));
  return t * t * (3 - 2 * t);
}

/** Probability that at least one of independent things is noticed. */
function either(...chances: number[]): number {
  return 1 - chances.reduce((none, p) => none * (1 - p), 1);
}

/** Fractions of ordered answers: where a value with a scatter falls between the thresholds. */
function ordered(value: number, thresholds: readonly number[], scatter: number): number[] {
  const below = [...thresholds.map((t) => sigmoid((t - value) / scatter)), 1];
  return below.map((p, i) => p - (i === 0 ? 0 : below[i - 1]!));
}

function normalise(weights: number[]): number[] {
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}
