import { type Affine, compose, identity } from "@gz/augment";
import ndarray, { type NdArray } from "ndarray";
import { checkAffines, checkApart, checkOut, checkSize, checkViews } from "./_check.ts";

/*
 * A view has four corners; a part is one of them, turned so that the view's centre lies in the same
 * place in all. Part p = 4 * o + k of orientation o is the view turned k quarters counter-clockwise
 * (numpy.rot90), its first rows and columns: with N = size - 1, part pixel (x, y) is view pixel
 *
 *   k = 0  (x, y)   top left          k = 2  (N - x, N - y)   bottom right
 *   k = 1  (N - y, x)   top right     k = 3  (y, N - x)       bottom left
 *
 * With mirrors the orientations are view 0, view 0 mirrored left to right, view 1, and so on.
 */

/** Options of `extractParts`. */
export interface ExtractPartsOptions {
  /** Rows and columns of a part, at most those of a view. */
  readonly partSize: number;
  /** Whether each view's mirror image gives four parts too; true if left out. */
  readonly mirror?: boolean;
  /** A float32 ndarray [parts, partSize, partSize, channels] to write into, apart from the views' memory. */
  readonly out?: NdArray<Float32Array>;
}

/**
 * The corner parts of every view, by copying alone: part p = 8 view + 4 mirror + k with mirrors,
 * 4 view + k without, k being the number of quarter turns (Dieleman et al. 2015, section 5).
 *
 * @param views float32 [views, size, size, channels]
 * @returns float32 [parts, partSize, partSize, channels]; `out` if given
 * @throws TypeError or RangeError for views, a size or an `out` that does not fit
 */
export function extractParts(
  views: NdArray<Float32Array>,
  options: ExtractPartsOptions,
): NdArray<Float32Array> {
  checkViews("extractParts", views);
  const [count, size, , channels] = views.shape as [number, number, number, number];
  const { partSize, mirror = true } = options;
  checkSize("extractParts", "partSize", partSize, size);
  const orientations = mirror ? [false, true] : [false];
  const shape = [4 * orientations.length * count, partSize, partSize, channels];
  const out = outOf("extractParts", views, options.out, shape);
  let part = 0;
  for (let view = 0; view < count; view++)
    for (const mirrored of orientations)
      for (let k = 0; k < 4; k++) copy(views, view, partMap(size, mirrored, k), out, part++);
  return out;
}

/**
 * Every view followed by its mirror image: view v at 2 v, mirrored left to right at 2 v + 1.
 *
 * @param views float32 [views, size, size, channels]
 * @returns float32 [2 views, size, size, channels]; `out` if given, which must lie apart from the views
 * @throws TypeError or RangeError for views or an `out` that does not fit
 */
export function mirrorViews(
  views: NdArray<Float32Array>,
  options: { readonly out?: NdArray<Float32Array> } = {},
): NdArray<Float32Array> {
  checkViews("mirrorViews", views);
  const [count, size, , channels] = views.shape as [number, number, number, number];
  const out = outOf("mirrorViews", views, options.out, [2 * count, size, size, channels]);
  for (let view = 0; view < count; view++) {
    copy(views, view, identity, out, 2 * view);
    copy(views, view, partMap(size, true, 0), out, 2 * view + 1);
  }
  return out;
}

/** Where a part came from. */
export interface PartOrigin {
  /** Index of its view. */
  readonly view: number;
  /** Whether the view was mirrored first. */
  readonly mirror: boolean;
  /** Quarter turns counter-clockwise, 0..3. */
  readonly quarterTurns: number;
  /** From the part's pixels to the source image's: what `warp` would take to sample the part itself. */
  readonly affine: Affine;
}

/**
 * The origin of each part of `extractParts`, in its order: for drawing parts onto the image, or for
 * carrying what was found in a part back to it.
 */
export function partLayout(options: {
  /** The views' affines, from `viewAffines`. */
  readonly affines: readonly Affine[];
  /** Rows and columns of a view. */
  readonly size: number;
  /** Whether mirror images gave parts too; true if left out. */
  readonly mirror?: boolean;
}): PartOrigin[] {
  const { affines, size, mirror = true } = options;
  checkAffines("partLayout", affines, 0);
  checkSize("partLayout", "size", size);
  return affines.flatMap((affine, view) =>
    (mirror ? [false, true] : [false]).flatMap((mirrored) =>
      [0, 1, 2, 3].map((quarterTurns) => ({
        view,
        mirror: mirrored,
        quarterTurns,
        affine: compose(affine, partMap(size, mirrored, quarterTurns)),
      })),
    ),
  );
}

/** From a part's pixels to its view's: whole numbers only. */
function partMap(size: number, mirror: boolean, quarterTurns: number): Affine {
  const n = size - 1;
  const turns: readonly Affine[] = [
    identity,
    [0, -1, n, 1, 0, 0],
    [-1, 0, n, 0, -1, n],
    [0, 1, 0, -1, 0, n],
  ];
  const turn = turns[quarterTurns]!;
  return mirror ? compose([-1, 0, n, 0, 1, 0], turn) : turn;
}

/** Fills out[index] with the pixels of views[view] that a whole-number affine points at. */
function copy(
  views: NdArray<Float32Array>,
  view: number,
  [a, b, c, d, e, f]: Affine,
  out: NdArray<Float32Array>,
  index: number,
): void {
  const [, rows, columns, channels] = out.shape as [number, number, number, number];
  const [viewStride, vy, vx, vc] = views.stride as [number, number, number, number];
  const [outStride, oy, ox, oc] = out.stride as [number, number, number, number];
  const start = views.offset + view * viewStride + c * vx + f * vy;
  const stepX = a * vx + d * vy;
  const stepY = b * vx + e * vy;
  const source = views.data;
  const target = out.data;
  for (let y = 0; y < rows; y++)
    for (let channel = 0; channel < channels; channel++) {
      let from = start + y * stepY + channel * vc;
      let to = out.offset + index * outStride + y * oy + channel * oc;
      for (let x = 0; x < columns; x++, from += stepX, to += ox) target[to] = source[from]!;
    }
}

function outOf(
  caller: string,
  views: NdArray<Float32Array>,
  out: NdArray<Float32Array> | undefined,
  shape: number[],
): NdArray<Float32Array> {
  if (out) {
    checkOut(caller, out, shape);
    checkApart(caller, views, out);
  }
  return out ?? ndarray(new Float32Array(shape.reduce((a, b) => a * b)), shape);
}
