import {
  type Affine,
  about,
  type Border,
  compose,
  type Image,
  identity,
  rotation,
  warp,
} from "@gz/augment";
import ndarray, { type NdArray } from "ndarray";
import {
  checkAffine,
  checkAffines,
  checkImage,
  checkOut,
  checkSize,
  expected,
  expectedNumber,
} from "./_check.ts";

/** What `viewAffines` needs to know. */
export interface ViewOptions {
  /** The image's size in pixels. */
  readonly source: { readonly width: number; readonly height: number };
  /** Rows and columns of a view. */
  readonly size: number;
  /** Source pixels per view pixel: 3 shrinks to a third. A list gives each view its own. */
  readonly step: number | readonly number[];
  /** One view for each angle, in degrees, see `rotation` of @gz/augment. */
  readonly angles: readonly number[];
  /** An augmentation in source pixels, e.g. from `affineFromDraw`: the same for all views. */
  readonly before?: Affine;
}

/**
 * The affine of each view, from its pixels to the image's: before * R(angle about the centre) * D,
 * where D takes every `step`-th point around the image's centre. Galaxy Zoo's winner had size 69,
 * step 3, angles [0, 45] on images of 424 x 424.
 *
 * @throws TypeError or RangeError for an option that is not as described
 */
export function viewAffines(options: ViewOptions): Affine[] {
  const { source, size, step, angles, before = identity } = options;
  checkSize("viewAffines", "source.width", source.width);
  checkSize("viewAffines", "source.height", source.height);
  checkSize("viewAffines", "size", size);
  if (!Array.isArray(angles)) throw expected("viewAffines", "a list of degrees", "angles", angles);
  for (const angle of angles)
    if (!Number.isFinite(angle))
      throw expectedNumber("viewAffines", "a finite number", "an angle", angle);
  const steps = typeof step === "object" ? step : angles.map(() => step);
  if (steps.length !== angles.length)
    throw expected("viewAffines", `one number or ${angles.length}`, "step", step, RangeError);
  for (const each of steps)
    if (!(each > 0 && each < Infinity))
      throw expectedNumber("viewAffines", "a positive number", "step", each);
  checkAffine("viewAffines", "before", before);
  const x = (source.width - 1) / 2;
  const y = (source.height - 1) / 2;
  return angles.map((angle, view) => {
    const each = steps[view]!;
    const half = (each * (size - 1)) / 2;
    const shrink: Affine = [each, 0, x - half, 0, each, y - half];
    return compose(before, about(x, y, rotation(angle)), shrink);
  });
}

/** Options of `extractViews`. */
export interface ExtractViewsOptions {
  /** Rows and columns of a view. */
  readonly size: number;
  /** What lies beyond the image, see `warp`; "reflect" if left out. */
  readonly border?: Border;
  /** Value of the constant border, on the 0..1 scale; 0 if left out. */
  readonly fill?: number;
  /** A float32 ndarray [views, size, size, channels] to write into, apart from the image's memory. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * The image through each affine, one bilinear interpolation each.
 *
 * @returns float32 [views, size, size, channels], values 0..1; `out` if given
 * @throws TypeError or RangeError for no affine, a size or an `out` that does not fit; see also `warp`
 */
export function extractViews(
  image: Image,
  affines: readonly Affine[],
  options: ExtractViewsOptions,
): NdArray<Float32Array> {
  const { size, border = "reflect", fill = 0 } = options;
  checkImage("extractViews", image);
  checkAffines("extractViews", affines, 1);
  checkSize("extractViews", "size", size);
  const shape = [affines.length, size, size, image.shape[2]!];
  if (options.out) checkOut("extractViews", options.out, shape);
  const out = options.out ?? ndarray(new Float32Array(shape.reduce((a, b) => a * b)), shape);
  affines.forEach((affine, view) => {
    warp(image, affine, { height: size, width: size, border, fill, out: out.pick(view) });
  });
  return out;
}
