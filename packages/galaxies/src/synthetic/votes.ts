import type { Rng } from "@gz/augment";
import { KAGGLE_TREE } from "../tree.ts";
import { diskAxisRatio } from "./disk.ts";
import type { GalaxyParameters } from "./parameters.ts";

const COLUMN_OF = new Map(KAGGLE_TREE.flatMap((q) => q.answers).map((name, i) => [name, i]));

/**
 * The vote fractions to expect for a galaxy: how a crowd would answer the 37 answers of Galaxy Zoo,
 * cumulative along Kaggle's tree (every question's answers sum to its parents' weight; question 6
 * sums to 1). Smooth functions of the parameters: features that are small against the blur, faint
 * or seen from the side are doubted, and the doubt spreads over the answers.
 *
 * @returns 37 fractions in [0, 1], in the order of the labels' columns
 */
export function galaxyVotes(params: GalaxyParameters): Float32Array {
  const answers = conditionalAnswers(params);
  const votes = new Float64Array(COLUMN_OF.size);
  KAGGLE_TREE.forEach((question, i) => {
    const weight = parentWeight(question.parents, votes);
    question.answers.forEach((name, k) => {
      votes[COLUMN_OF.get(name)!] = weight * answers[i]![k]!;
    });
  });
  return Float32Array.from(votes);
}

/**
 * What a number of volunteers answer: each walks the tree and chooses by the expected fractions,
 * so a question deep in the tree is answered by few of them, and its fractions are rough.
 *
 * @param votes expected fractions, from `galaxyVotes`
 * @returns 37 fractions, multiples of 1 / volunteers, that obey Kaggle's tree
 * @throws RangeError for a number of volunteers that is not a positive integer
 */
export function castVotes(rng: Rng, votes: Float32Array, volunteers = 40): Float32Array {
  if (!Number.isInteger(volunteers) || volunteers < 1)
    throw new RangeError(
      `castVotes: expected a positive integer for volunteers but got ${volunteers}`,
    );
  const counts = new Float64Array(votes.length);
  for (const question of KAGGLE_TREE) {
    const columns = question.answers.map((name) => COLUMN_OF.get(name)!);
    const asked = question.parents ? parentWeight(question.parents, counts) : volunteers;
    const total = columns.reduce((sum, column) => sum + votes[column]!, 0);
    for (let v = 0; v < asked; v++) {
      let left = rng.uniform(0, total);
      let k = 0;
      while (k < columns.length - 1 && (left -= votes[columns[k]!]!) >= 0) k++;
      counts[columns[k]!]!++;
    }
  }
  return Float32Array.from(counts, (count) => count / volunteers);
}

function parentWeight(parents: readonly string[] | undefined, votes: Float64Array): number {
  if (!parents) return 1;
  return parents.reduce((sum, name) => sum + votes[COLUMN_OF.get(name)!]!, 0);
}

/** For each question the fractions among those who are asked it. */
function conditionalAnswers(params: GalaxyParameters): number[][] {
  const { spiral, bulge, inclination, disk, dustLane, ring, lens, irregularity } = params;
  const clarity = featureClarity(params);
  const isGalaxy = params.kind === "galaxy";
  const hasDisk = 1 - step(0.75, 0.99, bulge.fraction);
  const facing = Math.cos((inclination * Math.PI) / 180);
  const edgeOn = hasDisk * sigmoid((inclination - 77) / 3.2) * (1 - step(0.3, 0.5, disk.thickness));
  const seen = clarity * Math.sqrt(facing);

  // 1: any feature at all, of which the strongest counts most.
  const countable = armClarity(params);
  const arms =
    hasDisk * spiral.strength * (0.4 + 0.6 * countable) * (0.6 + 0.4 * facing) * (1 - edgeOn);
  const bar = hasDisk * params.bar.strength * facing;
  const loud = Math.max(params.disturbance, 0.75 * params.companion.strength, 0.8 * irregularity);
  const feature = either(
    0.95 * Math.sqrt(arms),
    0.45 * bar,
    0.9 * ring.strength,
    0.93 * edgeOn,
    0.75 * loud,
    0.6 * dustLane,
    0.5 * lens.strength,
    0.12 * hasDisk,
  );
  const features = sigmoid(7 * feature * (0.3 + 0.7 * clarity) - 2.4);
  const artifact = isGalaxy ? 0.006 + 0.03 * (1 - clarity) ** 3 : 0.86;
  const smooth = (1 - artifact) * (1 - features);

  // 2 to 5: the disk.
  const barred = sigmoid(8 * params.bar.strength * (0.3 + 0.7 * seen) - 2.9);
  const spirals = sigmoid(8.5 * Math.sqrt(arms) * (0.35 + 0.65 * seen) - 2.9);
  const prominence = Math.sqrt(bulge.fraction) + 0.06 * params.bar.strength;
  const bulges = ordered(prominence, [0.15, 0.47, 0.78], 0.07);

  // 6 and 8: what is odd, and how well each kind of it is seen.
  const visible = 0.35 + 0.65 * clarity;
  const odd = [
    0.95 * ring.strength ** 1.5 * visible * step(0.1, 0.5, facing),
    0.9 * lens.strength * visible,
    0.85 * params.disturbance * visible,
    0.85 * irregularity * visible,
    0.75 * params.intruder.strength,
    0.95 * params.companion.strength,
    0.9 * dustLane ** 2 * visible,
  ];
  if (!isGalaxy) odd[4] = 0.7;
  const oddness = 0.05 + 0.9 * either(...odd);
  const floor = [0.03, 0.015, 0.035, 0.05, 0.08, 0.04, 0.004];
  const kinds = normalise(odd.map((strength, i) => floor[i]! + 3 * strength ** 1.5));

  // 7: the axis ratio of the whole.
  const q = hasDisk * diskAxisRatio(inclination, disk.thickness);
  const roundness = bulge.fraction * bulge.axisRatio + (1 - bulge.fraction) * q;
  const blurred = roundness + 0.12 * (1 - roundness) * (1 - clarity);
  const [cigar, between, round] = ordered(blurred, [0.4, 0.76], 0.055);

  // 9: the bulge seen from the side; 10 and 11: the arms.
  const noBulge = 1 - sigmoid((Math.sqrt(bulge.fraction) - 0.27) / 0.05);
  const boxy = (1 - noBulge) * sigmoid(9 * bulge.boxiness * visible - 4.1);
  const winding = ordered(spiral.pitch, [14.5, 24.5], 3.2);
  const cannotTell = sigmoid(
    6 * spiral.flocculence +
      2.2 * (1 - seen) +
      0.15 * (spiral.arms - 2) +
      3 * (0.8 - countable) -
      4.7,
  );
  const confusion = 0.36 + 0.36 * (1 - seen);
  const counts = normalise(
    [1, 2, 3, 4, 5.4].map(
      (n) => Math.exp(-0.5 * ((n - Math.min(spiral.arms, 5.4)) / confusion) ** 2) + 0.012,
    ),
  );

  return [
    [smooth, (1 - artifact) * features, artifact],
    [0.015 + 0.97 * edgeOn, 1 - (0.015 + 0.97 * edgeOn)],
    [barred, 1 - barred],
    [spirals, 1 - spirals],
    bulges,
    [oddness, 1 - oddness],
    [round!, between!, cigar!],
    kinds,
    [1 - noBulge - boxy, boxy, noBulge],
    winding,
    [...counts.map((p) => p * (1 - cannotTell)), cannotTell],
  ];
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
