/**
 * From a decoded image and an optional draw to what the network reads: the recipe's views, [V, S, S, 3] in 0..1.
 * The crop, the down-sampling and the augmentation are one affine, so every output pixel is interpolated once.
 */
import {
  type Affine,
  addColor,
  affineFromDraw,
  createRng,
  DIELEMAN_COLOR,
  type Draw,
  type Image,
  sampleColor,
  sampleDraw,
} from "@gz/augment";
import { extractViews, viewAffines } from "@gz/views";
import ndarray from "ndarray";
import type { Recipe } from "./recipe.ts";

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

/** The affines from each view's pixels to those of the image (shrunk as the recipe says). */
function inputAffines({ input }: Recipe, draw?: Draw): Affine[] {
  const side = IMAGE_SIZE / input.shrink;
  const source = { width: side, height: side };
  const shrunk = draw && {
    ...draw,
    translation: [draw.translation[0] / input.shrink, draw.translation[1] / input.shrink] as const,
  };
  return viewAffines({
    source,
    size: input.size,
    step: input.span / input.shrink / input.size,
    angles: input.angles,
    ...(shrunk && { before: affineFromDraw(shrunk, source) }),
  });
}

/** What augmentation a training image gets: of (seed, step, slot) alone, whatever the workers do. */
export interface TrainingDraw {
  draw: Draw;
  color: number[];
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
  return { draw, color: sampleColor(rng, DIELEMAN_COLOR, augment.color) };
}

/** Writes one galaxy's views into `out` (inputLength numbers). */
export function writeInput(
  recipe: Recipe,
  image: Image,
  out: Float32Array,
  draw?: Draw,
  color?: readonly number[],
): void {
  const { angles, size } = recipe.input;
  const views = ndarray(out, [angles.length, size, size, 3]);
  extractViews(image, inputAffines(recipe, draw), { size, out: views });
  if (!color) return;
  // Colour is per pixel: all views as one tall image, in place.
  const pixels = ndarray(out, [angles.length * size, size, 3]);
  addColor(pixels, color, { clip: recipe.augment.clip, out: pixels });
}
