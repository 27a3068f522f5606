/**
 * Activation maximisation (Erhan et al. 2009): the picture that excites a unit most, by gradient ascent from noise.
 *
 * Without a prior the answer is noise that happens to excite. Three keep it a picture: it is sought in the coordinates in
 * which galaxies are standard normal (Prior), no farther from their mean than REACH; the gradient is taken smooth, coarse
 * scales before fine ones; and every step sees the picture turned, shifted and zoomed a little (Olah, Mordvintsev &
 * Schubert 2017).
 */
import { affineFromDraw, createRng, sampleDraw } from "@gz/augment";
import { viewAffines } from "@gz/views";
import * as tf from "@tensorflow/tfjs";
import { inputShape, widestSpan } from "../images/input.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { gradientOf, type Prior, pictureOf } from "./prior.ts";
import { planSampling, sample, sampleGradient } from "./sampling.ts";
import { blur } from "./smooth.ts";
import { type Probe, type Unit, unitWeights } from "./units.ts";

/** Root mean square of the noise that is climbed from, and the most that is gone from the mean galaxy. */
const NOISE = 0.2;
const REACH = 2;
/** Root mean square of a step: the first and the last. */
const RATE = [0.2, 0.05] as const;
/** Blurs of the gradient as shares of a view, and how strongly each is taken. */
const SCALES = [
  [1 / 8, 1],
  [1 / 16, 0.8],
  [1 / 32, 0.5],
  [1 / 64, 0.25],
] as const;
const JITTER = { rotation: [-15, 15], translation: 2, zoom: 1.08 } as const;
/** Room around the views for the jitter, in pixels. */
const MARGIN = 4;

export interface AscentOptions {
  steps: number;
  seed: number;
  onProgress(step: number): void;
  signal: AbortSignal;
}

/** Side of the pictures that are climbed on, in pixels of a view: turned views reach beyond the square of the first. */
export function canvasSide({ input: { size, angles } }: Recipe): number {
  const turned = angles.some((angle) => angle % 90 !== 0);
  return Math.ceil(size * (turned ? Math.SQRT2 : 1)) + 2 * MARGIN;
}

/**
 * Climbs for all units at once, each on a picture of its own; with fewer steps where the signal stops it.
 * @param prior of pictures of canvasSide(recipe) pixels a side
 * @returns the middle of each picture, [size, size, 3] of 0..1
 */
export async function maximise(
  probe: Probe,
  recipe: Recipe,
  prior: Prior,
  units: readonly Unit[],
  { steps, seed, onProgress, signal }: AscentOptions,
): Promise<Float32Array[]> {
  const { size, span, angles } = recipe.input;
  // Pixels of the picture are those of the widest view.
  const viewStep = typeof span === "number" ? 1 : span.map((side) => side / widestSpan(recipe));
  const { model } = probe;
  const { side } = prior;
  const source = { width: side, height: side };
  const length = angles.length * size * size * 3;
  const noise = createRng(seed, 0xa5ce);
  const points = units.map(() =>
    Float32Array.from({ length: side * side * 3 }, () => noise.normal(0, NOISE)),
  );
  const picture = new Float32Array(side * side * 3);
  const views = new Float32Array(units.length * length);
  const weights = tf.tensor2d(units.map((unit) => [...unitWeights(unit, probe)]));
  const climb = tf.grad((xs) =>
    tf.sum(tf.mul(model.apply(xs, { training: false }) as tf.Tensor, weights)),
  );
  for (let step = 0; step < steps && !signal.aborted; step++) {
    const jitter = sampleDraw(createRng(seed, 0xa5cf, step), JITTER);
    const plan = planSampling(
      viewAffines({
        source,
        size,
        step: viewStep,
        angles,
        before: affineFromDraw(jitter, source),
      }),
      size,
      side,
    );
    points.forEach((point, u) => {
      show(prior, point, picture);
      sample(plan, picture, views.subarray(u * length, (u + 1) * length));
    });
    const result = tf.tidy(() => climb(tf.tensor(views, inputShape(recipe, units.length))));
    const gradients = (await result.data()) as Float32Array;
    result.dispose();
    const rate = RATE[0] + (RATE[1] - RATE[0]) * (step / Math.max(1, steps - 1));
    points.forEach((point, u) => {
      sampleGradient(plan, gradients.subarray(u * length, (u + 1) * length), picture);
      gradientOf(prior, picture);
      // A silent unit has no gradient: until something excites it, chance leads.
      if (picture.every((value) => value === 0)) fillNoise(picture, seed, step, u);
      takeStep(point, smoothed(picture, side, size), rate);
    });
    onProgress(step + 1);
  }
  weights.dispose();
  return points.map((point) => {
    show(prior, point, picture);
    return middle(picture, side, size);
  });
}

function fillNoise(picture: Float32Array, seed: number, step: number, unit: number): void {
  const noise = createRng(seed, 0xa5d0, step, unit);
  for (let i = 0; i < picture.length; i++) picture[i] = noise.normal(0, 1);
}

function show(prior: Prior, point: Float32Array, picture: Float32Array): void {
  pictureOf(prior, point, picture);
  for (let i = 0; i < picture.length; i++) picture[i] = Math.min(1, Math.max(0, picture[i]!));
}

/** The gradient at several scales, each brought to its strength, added. */
function smoothed(gradient: Float32Array, side: number, size: number): Float32Array {
  const sum = new Float32Array(gradient.length);
  for (const [share, strength] of SCALES) {
    const scale = blur(gradient, side, share * size);
    const factor = strength / rms(scale);
    if (Number.isFinite(factor)) for (let i = 0; i < sum.length; i++) sum[i]! += factor * scale[i]!;
  }
  return sum;
}

/** Goes `rate` along a direction, then back to REACH where that led beyond it. */
function takeStep(point: Float32Array, direction: Float32Array, rate: number): void {
  const factor = rate / rms(direction);
  if (!Number.isFinite(factor)) return;
  for (let i = 0; i < point.length; i++) point[i]! += factor * direction[i]!;
  const back = Math.min(1, REACH / rms(point));
  for (let i = 0; i < point.length; i++) point[i]! *= back;
}

function rms(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

function middle(canvas: Float32Array, side: number, size: number): Float32Array {
  const offset = (side - size) >> 1;
  const picture = new Float32Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    const from = 3 * ((row + offset) * side + offset);
    picture.set(canvas.subarray(from, from + 3 * size), 3 * row * size);
  }
  return picture;
}
