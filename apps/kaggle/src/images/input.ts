/**
 * From a decoded image and an optional draw to what the network reads: the recipe's views, [V, S, S, 3] in 0..1.
 * The crop, the down-sampling and the augmentation are one affine, so every output pixel is interpolated once.
 */
import {
  type Affine,
  addColor,
  addNoise,
  affineFromDraw,
  applyGamma,
  compose,
  createRng,
  DIELEMAN_COLOR,
  type Draw,
  type Image,
  sampleColor,
  sampleDraw,
  sampleGamma,
} from "@gz/augment";
import { centreDraw, type Source } from "@gz/galaxies";
import { extractViews, type ViewOptions, viewAffines } from "@gz/views";
import ndarray from "ndarray";
import type { Recipe } from "../recipe/recipe.ts";

/** Side of Galaxy Zoo's images, in pixels. */
export const IMAGE_SIZE = 424;

/** Numbers in one galaxy's input: V * S * S * 3. */
export function inputLength({ input }: Recipe): number {
  return input.angles.length * input.size * input.size * 3;
}

/** Shape of a batch of that many galaxies. */
export function inputShape(recipe: Recipe, batch: number): number[] {
  const { angles, size } = recipe.input;
  return [batch, angles.length, size, size, 3];
}

/** Whether the network predicts from all turns and mirror images of its views, and trains on one. */
export function hasSymmetries({ network }: Recipe): boolean {
  return network.kind === "residual" && network.symmetries === true;
}

/** The recipe whose input the network trains on: with symmetries, the first view alone, turned by the augmentation. */
export function asTrained(recipe: Recipe): Recipe {
  return hasSymmetries(recipe) ? withView(recipe, 0) : recipe;
}

/** The recipe with one of its views alone. */
export function withView(recipe: Recipe, view: number): Recipe {
  const { angles, span } = recipe.input;
  const input = {
    ...recipe.input,
    angles: [angles[view]!],
    span: typeof span === "number" ? span : span[view]!,
  };
  return { ...recipe, input };
}

/** Side of the largest square that a view covers. */
export function widestSpan({ input }: Recipe): number {
  return Math.max(...[input.span].flat());
}

/** A galaxy's place and size in its image, in pixels of the full size. */
export type Centre = Pick<Source, "x" | "y" | "a" | "petrosian">;

/** The views' geometry in the image, shrunk as the recipe says: what viewAffines takes. */
export function viewGeometry({ input }: Recipe): Omit<ViewOptions, "before"> {
  const side = IMAGE_SIZE / input.shrink;
  const step = (span: number): number => span / input.shrink / input.size;
  return {
    source: { width: side, height: side },
    size: input.size,
    step: typeof input.span === "number" ? step(input.span) : input.span.map(step),
    angles: input.angles,
  };
}

/**
 * The affines from each view's pixels to those of the image (shrunk as the recipe says). The galaxy is centred outermost:
 * centre, then draw, then the view's angle, as the winner did, so that a random shift is of the centred galaxy.
 */
export function inputAffines(recipe: Recipe, draw?: Draw, centre?: Centre): Affine[] {
  const { input } = recipe;
  const geometry = viewGeometry(recipe);
  const ofShrunk = ({ translation: [x, y], ...rest }: Draw): Affine =>
    affineFromDraw({ ...rest, translation: [x / input.shrink, y / input.shrink] }, geometry.source);
  const size = { width: IMAGE_SIZE, height: IMAGE_SIZE };
  const before = [
    ...(input.centre && centre ? [ofShrunk(centreDraw(centre, { ...size, ...input.centre }))] : []),
    ...(draw ? [ofShrunk(draw)] : []),
  ];
  return viewAffines({ ...geometry, before: compose(...before) });
}

/** What augmentation does to the values of pixels, in this order; plain data, as a draw is. */
export interface PixelDraw {
  /** Exponent of every value. */
  gamma?: number;
  /** Added to every pixel. */
  color: readonly number[];
  /** Gaussian, of this standard deviation and of the stream of these seeds. */
  noise?: { std: number; seeds: readonly number[] };
}

/** What augmentation a training image gets: of (seed, step, slot) alone, whatever the workers do. */
export interface TrainingDraw {
  draw: Draw;
  pixels: PixelDraw;
}

export function trainingDraw(
  { augment }: Recipe,
  seed: number,
  step: number,
  slot: number,
): TrainingDraw {
  const rng = createRng(seed, step, slot);
  const draw = sampleDraw(rng, {
    zoom: augment.zoom,
    rotation: [0, augment.rotation],
    shear: [-augment.shear, augment.shear],
    translation: augment.translation,
    flip: augment.flip,
  });
  const color = sampleColor(rng, DIELEMAN_COLOR, augment.color);
  const { gamma, noise } = augment;
  return {
    draw,
    pixels: {
      color,
      ...(gamma !== undefined && { gamma: sampleGamma(rng, gamma) }),
      ...(noise !== undefined && { noise: { std: noise, seeds: [seed, step, slot, NOISE] } }),
    },
  };
}

/** Tells a slot's stream of noise from its other draws. */
const NOISE = 1;

/** Writes one galaxy's views into `out` (inputLength numbers); `centre` is of recipes that centre galaxies. */
export function writeInput(
  recipe: Recipe,
  image: Image,
  out: Float32Array,
  draw?: Draw,
  pixels?: PixelDraw,
  centre?: Centre,
): void {
  const { angles, size } = recipe.input;
  const views = ndarray(out, [angles.length, size, size, 3]);
  extractViews(image, inputAffines(recipe, draw, centre), { size, out: views });
  if (!pixels) return;
  // These are of each pixel by itself: all views as one tall image, in place.
  const tall = ndarray(out, [angles.length * size, size, 3]);
  const { gamma, color, noise } = pixels;
  const { clip } = recipe.augment;
  if (gamma !== undefined) applyGamma(tall, gamma, { out: tall });
  addColor(tall, color, { clip, out: tall });
  if (noise) addNoise(createRng(...noise.seeds), tall, noise.std, { clip, out: tall });
}
