import type { Affine } from "@gz/augment";
import { checkAffines, checkSize } from "./_check.ts";
import { partLayout } from "./parts.ts";

/** The fewest views that still show every part, see `distinctParts`. */
export interface DistinctParts {
  /** The views that are needed, as indices of those that were given. */
  readonly views: readonly number[];
  /** For each part of all views, in the order of `partLayout`, where it is among the parts of the needed ones. */
  readonly parts: Int32Array;
}

/** Affines from equal angles differ by rounding, 1e-12 pixels; what is meant to differ does so by far more. */
const SAME = 1e-6;

/**
 * Which of many views of one image are needed where some of their parts are the same: a view turned by 90 degrees, or
 * mirrored, has the parts of the plain one, in another order. The winner's 60 transforms at test time give 120 views and
 * 960 parts, of which 30 views and their 240 parts are enough.
 *
 * Parts are compared by where they lie in the image: the same are those of which no pixel is more than 1e-6 source pixels
 * from its counterpart. A view is needed when it has a part that none before it has.
 *
 * @throws TypeError or RangeError for no affine, one that is not six finite numbers, or a size that does not fit
 */
export function distinctParts(options: {
  /** The views' affines, from `viewAffines`. */
  readonly affines: readonly Affine[];
  /** Rows and columns of a view. */
  readonly size: number;
  /** Rows and columns of a part, at most those of a view. */
  readonly partSize: number;
  /** Whether mirror images give parts too; true if left out. */
  readonly mirror?: boolean;
}): DistinctParts {
  const { affines, size, partSize, mirror = true } = options;
  checkAffines("distinctParts", affines, 1);
  checkSize("distinctParts", "size", size);
  checkSize("distinctParts", "partSize", partSize, size);
  const views: number[] = [];
  const known: Affine[] = [];
  const parts: number[] = [];
  affines.forEach((affine, view) => {
    const own = partLayout({ affines: [affine], size, mirror }).map((part) => part.affine);
    const find = () => own.map((part) => known.findIndex((other) => isSame(part, other, partSize)));
    let found = find();
    if (found.includes(-1)) {
      views.push(view);
      known.push(...own);
      found = find();
    }
    parts.push(...found);
  });
  return { views, parts: Int32Array.from(parts) };
}

/** Whether two affines take a part's pixels to the same places: they are farthest apart at a corner. */
function isSame(p: Affine, q: Affine, partSize: number): boolean {
  const last = partSize - 1;
  return (
    isNear(p[2] - q[2]) && // most differ here already
    isNear(p[5] - q[5]) &&
    isNearAtCorners(p[0] - q[0], p[1] - q[1], p[2] - q[2], last) &&
    isNearAtCorners(p[3] - q[3], p[4] - q[4], p[5] - q[5], last)
  );
}

const isNear = (apart: number): boolean => Math.abs(apart) <= SAME;

function isNearAtCorners(a: number, b: number, c: number, last: number): boolean {
  return isNear(a * last + c) && isNear(b * last + c) && isNear((a + b) * last + c);
}
