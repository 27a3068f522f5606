/**
 * Test-time transforms that a network cannot tell apart. One with `symmetries` predicts the same from a view and from its
 * turns by 90 degrees and mirror images, so of the winner's 60 transforms (10 turns, mirrored or not, 3 zooms) it has to
 * see 15.
 */
import { type Affine, apply, type Draw } from "@gz/augment";
import { hasSymmetries, inputAffines } from "../images/input.ts";
import type { Recipe } from "../recipe/recipe.ts";

export interface DistinctTransforms {
  /** Those to evaluate, in the order of their first occurrence. */
  distinct: readonly Draw[];
  /** For each of all the transforms the one of `distinct` that gives its predictions. */
  of: readonly number[];
}

/** What two affines may differ by, in pixels of the source a pixel of the view: rounding, far below what is seen. */
const TOLERANCE = 1e-9;

export function distinctTransforms(
  recipe: Recipe,
  transforms: readonly Draw[],
): DistinctTransforms {
  if (!hasSymmetries(recipe)) return { distinct: transforms, of: transforms.map((_, t) => t) };
  const distinct: Draw[] = [];
  const seen: Frame[][] = [];
  const of = transforms.map((draw) => {
    const frames = inputAffines(recipe, draw).map((affine) => frameOf(affine, recipe.input.size));
    const known = seen.findIndex((others) => sameViews(frames, others));
    if (known >= 0) return known;
    seen.push(frames);
    return distinct.push(draw) - 1;
  });
  return { distinct, of };
}

/** Where a view lies in the source: its middle, and the steps of a pixel to the right and down. */
interface Frame {
  middle: Vector;
  right: Vector;
  down: Vector;
}
type Vector = readonly [x: number, y: number];

function frameOf(affine: Affine, size: number): Frame {
  const [a, b, , d, e] = affine;
  const centre = (size - 1) / 2;
  return { middle: apply(affine, centre, centre), right: [a, d], down: [b, e] };
}

/** Whether each view is another one of the others, turned and mirrored; the features of views are averaged. */
function sameViews(views: readonly Frame[], others: readonly Frame[]): boolean {
  const left = [...others];
  return views.every((view) => {
    const at = left.findIndex((other) => sameSquare(view, other));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** A symmetry of the square leaves its middle where it is, and may exchange and negate its axes. */
function sameSquare(a: Frame, b: Frame): boolean {
  return (
    near(a.middle, b.middle) &&
    ((parallel(a.right, b.right) && parallel(a.down, b.down)) ||
      (parallel(a.right, b.down) && parallel(a.down, b.right)))
  );
}

const near = ([a, b]: Vector, [c, d]: Vector): boolean =>
  Math.abs(a - c) <= TOLERANCE && Math.abs(b - d) <= TOLERANCE;

const parallel = (a: Vector, [x, y]: Vector): boolean => near(a, [x, y]) || near(a, [-x, -y]);
