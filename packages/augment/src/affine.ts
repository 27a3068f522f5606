import { checkAffine, checkFinite, expected } from "./_check.ts";
import { cosDegrees, sinDegrees } from "./_math.ts";

/**
 * `[a, b, c, d, e, f]` takes an OUTPUT pixel (x, y) to its SOURCE pixel (a x + b y + c, d x + e y + f).
 * Pixel centres lie at integers, x to the right, y down; the centre of n pixels is (n - 1) / 2.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Every output pixel from the source pixel of the same coordinates. */
export const identity: Affine = Object.freeze([1, 0, 0, 0, 1, 0] as const);

/**
 * The matrix product of the affines: `compose(A, B)` takes p to A(B(p)), so the rightmost sees the
 * output pixel first and the leftmost speaks in source pixels. Of none: the identity.
 */
export function compose(...affines: readonly Affine[]): Affine {
  for (const affine of affines) checkAffine("compose", "an affine", affine);
  return product(affines);
}

function product(affines: readonly Affine[]): Affine {
  return affines.reduce(
    ([a, b, c, d, e, f], [g, h, i, j, k, l]): Affine => [
      a * g + b * j,
      a * h + b * k,
      a * i + b * l + c,
      d * g + e * j,
      d * h + e * k,
      d * i + e * l + f,
    ],
    identity,
  );
}

/**
 * Turns the sampling grid about (0, 0) by an angle in degrees, from x towards y: clockwise on the
 * screen, so what is in the picture turns the other way. Exact at multiples of 90.
 */
export function rotation(degrees: number): Affine {
  checkFinite("rotation", "degrees", degrees);
  const cos = cosDegrees(degrees);
  const sin = sinDegrees(degrees);
  return [cos, 0 - sin, 0, sin, cos, 0];
}

/** Steps of sx and sy source pixels per output pixel: 3 shrinks the picture to a third. */
export function scaling(sx: number, sy: number = sx): Affine {
  checkFinite("scaling", "sx", sx);
  checkFinite("scaling", "sy", sy);
  return [sx, 0, 0, 0, sy, 0];
}

/** Leans the y axis by an angle in degrees, keeping its length: (x - y sin s, y cos s), as in scikit-image 0.9. */
export function shearing(degrees: number): Affine {
  checkFinite("shearing", "degrees", degrees);
  return [1, 0 - sinDegrees(degrees), 0, 0, cosDegrees(degrees), 0];
}

/** Samples x source pixels further right and y further down; the picture moves left and up. */
export function translation(x: number, y: number): Affine {
  checkFinite("translation", "x", x);
  checkFinite("translation", "y", y);
  return [1, 0, x, 0, 1, y];
}

/** Mirrors left and right about x = 0; use `about` for an image's centre. */
export function flip(): Affine {
  return [-1, 0, 0, 0, 1, 0];
}

/** The affine with the point (x, y) in the part of the origin, e.g. a rotation about an image's centre. */
export function about(x: number, y: number, affine: Affine): Affine {
  checkFinite("about", "x", x);
  checkFinite("about", "y", y);
  checkAffine("about", "affine", affine);
  return product([translation(x, y), affine, translation(-x, -y)]);
}

/**
 * The affine from source pixels back to output pixels: where in the output a source pixel is seen.
 *
 * @throws RangeError if the affine squeezes the plane into a line or a point, or its numbers are too large
 */
export function invert(affine: Affine): Affine {
  checkAffine("invert", "affine", affine);
  const [a, b, c, d, e, f] = affine;
  const determinant = a * e - b * d;
  const inverse = [e, -b, b * f - c * e, -d, a, c * d - a * f].map(
    (x) => x / determinant + 0, // + 0: for -0
  ) as unknown as Affine;
  if (!Number.isFinite(determinant) || !inverse.every(Number.isFinite))
    throw expected("invert", "an affine that can be inverted", "affine", affine, RangeError);
  return inverse;
}

/** The source point [x, y] of the output point (x, y). */
export function apply(affine: Affine, x: number, y: number): [x: number, y: number] {
  checkAffine("apply", "affine", affine);
  const [a, b, c, d, e, f] = affine;
  return [a * x + b * y + c, d * x + e * y + f];
}
