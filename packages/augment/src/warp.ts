import ndarray, { type NdArray } from "ndarray";
import {
  checkAffine,
  checkApart,
  checkFinite,
  checkImage,
  checkOut,
  checkSize,
  expected,
} from "./_check.ts";
import { sampleAnywhere, sampleInside, sampleInsideRgb, sampleNearest } from "./_sample.ts";
import type { Affine } from "./affine.ts";
import { type Image, unitScale } from "./image.ts";

/** What lies beyond an image, see `WarpOptions`. */
export type Border = "reflect" | "edge" | "constant" | "wrap";

/** Options of `warp`. */
export interface WarpOptions {
  /** Rows of the output; those of the image if left out. */
  readonly height?: number;
  /** Columns of the output; those of the image if left out. */
  readonly width?: number;
  /**
   * What lies beyond the image: its mirror image without the edge pixel repeated ("reflect", the
   * default), its edge pixel, a constant, or the image again. The pixels there are interpolated as those within.
   */
  readonly border?: Border;
  /** Value of the constant border, on the 0..1 scale. */
  readonly fill?: number;
  /** Between pixels: "linear" (the default), or the nearest one's value, for masks whose values are labels. */
  readonly interpolation?: "linear" | "nearest";
  /** A float32 ndarray [height, width, channels] of any strides to write into, apart from the image's memory. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * Resamples an image through an affine, bilinearly unless told otherwise: output (x, y) is the image
 * at `apply(affine, x, y)`. Compose cropping, shrinking and perturbation into the one affine, and the
 * pixels are interpolated once. There is no low-pass filter: shrinking by more than 2 skips source pixels.
 *
 * @returns float32 [height, width, channels], bytes scaled to 0..1; `out` if given
 * @throws TypeError or RangeError for an image, affine, option or `out` that is not as described
 */
export function warp(
  image: Image,
  affine: Affine,
  options: WarpOptions = {},
): NdArray<Float32Array> {
  checkImage("warp", "image", image);
  const {
    height = image.shape[0]!,
    width = image.shape[1]!,
    border = "reflect",
    fill = 0,
    interpolation = "linear",
  } = options;
  checkSize("warp", "height", height);
  checkSize("warp", "width", width);
  checkFinite("warp", "fill", fill);
  if (!BORDERS.has(border))
    throw expected("warp", [...BORDERS].map((b) => `"${b}"`).join(", "), "border", border);
  if (interpolation !== "linear" && interpolation !== "nearest")
    throw expected("warp", '"linear", "nearest"', "interpolation", interpolation);
  checkAffine("warp", "affine", affine);
  const shape = [height, width, image.shape[2]!];
  if (options.out) {
    checkOut("warp", options.out, shape);
    checkApart("warp", image, options.out);
  }
  const out = options.out ?? ndarray(new Float32Array(height * width * shape[2]!), shape);

  const { data, offset, stride } = image;
  const source = { data, offset, stride, shape: image.shape, scale: unitScale(data) };
  const row = { data: out.data, pixelStride: out.stride[1]!, channelStride: out.stride[2]! };
  const rgb = shape[2] === 3 && stride[2] === 1 && row.channelStride === 1;
  const inside = rgb ? sampleInsideRgb : sampleInside;
  const [a, b, c, d, e, f] = affine;
  // Both corners of the last pixel that needs no border lie on the image: X < width - 1.
  const limitX = image.shape[1]! - 1;
  const limitY = image.shape[0]! - 1;
  for (let y = 0; y < height; y++) {
    const X0 = b * y + c;
    const Y0 = e * y + f;
    const start = out.offset + y * out.stride[0]!;
    if (interpolation === "nearest") {
      sampleNearest(source, row, start, width, a, d, X0, Y0, border, fill);
      continue;
    }
    const from = firstInside(a, d, X0, Y0, limitX, limitY, width);
    const to = endInside(a, d, X0, Y0, limitX, limitY, width, from);
    sampleAnywhere(source, row, start, 0, from, a, d, X0, Y0, border, fill);
    inside(source, row, start, from, to, a, d, X0, Y0);
    sampleAnywhere(source, row, start, to, width, a, d, X0, Y0, border, fill);
  }
  return out;
}

const BORDERS: ReadonlySet<string> = new Set<Border>(["reflect", "edge", "constant", "wrap"]);

/*
 * The columns whose source lies inside, 0 <= X < limit on both axes, are an interval, for an affine
 * is straight: below its ends. A quotient may be rounded to a neighbour of the true end, hence the
 * test of the ends themselves; rounding keeps X monotonic in x, so no column between needs one.
 */

function firstInside(
  a: number,
  d: number,
  X0: number,
  Y0: number,
  limitX: number,
  limitY: number,
  width: number,
): number {
  const end = Math.max(entry(a, X0, limitX), entry(d, Y0, limitY));
  let x = Math.min(width, Math.max(0, Math.floor(end)));
  while (x < width && !isInside(a * x + X0, limitX, d * x + Y0, limitY)) x++;
  return x;
}

function endInside(
  a: number,
  d: number,
  X0: number,
  Y0: number,
  limitX: number,
  limitY: number,
  width: number,
  from: number,
): number {
  const end = Math.min(exit(a, X0, limitX), exit(d, Y0, limitY));
  let x = Math.max(from, Math.min(width, Math.floor(end) + 1));
  while (x > from && !isInside(a * (x - 1) + X0, limitX, d * (x - 1) + Y0, limitY)) x--;
  return x;
}

/** The x from which on 0 <= slope x + start < limit holds. */
function entry(slope: number, start: number, limit: number): number {
  if (slope > 0) return -start / slope;
  if (slope < 0) return (limit - start) / slope;
  return start >= 0 && start < limit ? -Infinity : Infinity;
}

/** The x up to which it holds. */
function exit(slope: number, start: number, limit: number): number {
  if (slope > 0) return (limit - start) / slope;
  if (slope < 0) return -start / slope;
  return start >= 0 && start < limit ? Infinity : -Infinity;
}

function isInside(X: number, limitX: number, Y: number, limitY: number): boolean {
  return X >= 0 && X < limitX && Y >= 0 && Y < limitY;
}
