/**
 * What a network of parts need not compute again under many transforms: turned and mirrored views have parts in common.
 * Pure: TensorFlow.js is not loaded here.
 */
import type { Draw } from "@gz/augment";
import { distinctParts } from "@gz/views";
import { inputAffines } from "../images/input.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { distinctTransforms } from "./distinct-transforms.ts";

export interface SharedParts {
  /** The views that hold every part: each is one of the recipe's, under one transform. */
  views: readonly { transform: Draw; view: number }[];
  /** [transforms, parts]: where each transform's parts are among those of the views. */
  parts: Int32Array;
}

/** What the transforms share; undefined where it is nothing, or where the network sees views whole. */
export function sharedParts(recipe: Recipe, transforms: readonly Draw[]): SharedParts | undefined {
  const { network, input } = recipe;
  if (network.kind !== "parts") return undefined;
  // Of an image whose galaxy is in its middle: centring comes before the transform and moves all parts alike.
  const affines = transforms.flatMap((draw) => inputAffines(recipe, draw));
  const { partSize } = network;
  const { views, parts } = distinctParts({ affines, size: input.size, partSize });
  if (views.length === affines.length) return undefined;
  const count = input.angles.length;
  const viewOf = (i: number) => ({
    transform: transforms[Math.floor(i / count)]!,
    view: i % count,
  });
  return { views: views.map(viewOf), parts };
}

/** As how many transforms that have nothing in common these count: by the views that are computed. */
export function computedTransforms(recipe: Recipe, transforms: readonly Draw[]): number {
  const shared = sharedParts(recipe, transforms);
  if (shared) return shared.views.length / recipe.input.angles.length;
  return distinctTransforms(recipe, transforms).distinct.length;
}
