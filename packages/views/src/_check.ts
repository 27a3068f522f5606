import type { NdArray } from "ndarray";

/**
 * The error every public function throws: `extractParts: expected WHAT for partSize but got VALUE`; a
 * TypeError for the wrong kind of value, a RangeError for a wrong value of the right kind.
 */
export function expected(
  caller: string,
  what: string,
  name: string,
  value: unknown,
  Kind: typeof TypeError | typeof RangeError = TypeError,
): Error {
  return new Kind(`${caller}: expected ${what} for ${name} but got ${show(value)}`);
}

/** The same where a number was expected. */
export function expectedNumber(caller: string, what: string, name: string, value: unknown): Error {
  return expected(caller, what, name, value, typeof value === "number" ? RangeError : TypeError);
}

/** Refuses anything but an integer from 1 to `max`. */
export function checkSize(
  caller: string,
  name: string,
  value: number,
  max: number = Infinity,
): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    const range = max === Infinity ? "a positive integer" : `an integer from 1 to ${max}`;
    throw expectedNumber(caller, range, name, value);
  }
}

/** Refuses anything but six finite numbers. */
export function checkAffine(caller: string, name: string, affine: unknown): void {
  const six = Array.isArray(affine) && affine.length === 6;
  if (!six || !affine.every(Number.isFinite))
    throw expected(caller, "six finite numbers", name, affine, six ? RangeError : TypeError);
}

/** Refuses anything but a list of affines, of at least `least`. */
export function checkAffines(caller: string, affines: unknown, least: 0 | 1): void {
  if (!Array.isArray(affines)) throw expected(caller, "a list of affines", "affines", affines);
  if (affines.length < least)
    throw expected(caller, "at least one affine", "affines", affines, RangeError);
  for (const affine of affines) checkAffine(caller, "an affine", affine);
}

/** Refuses what does not have the axes of an image; what lies in them is `warp`'s to judge. */
export function checkImage(caller: string, image: unknown): void {
  const what = "an ndarray [height, width, channels] of uint8 or float32";
  const shape: unknown = (image as NdArray | null | undefined)?.shape;
  if (!Array.isArray(shape) || shape.length !== 3) throw expected(caller, what, "image", image);
}

/** Refuses anything but a float32 ndarray [views, size, size, channels] without an empty axis, all within its data. */
export function checkViews(caller: string, views: unknown): void {
  if (
    !isFloats(views) ||
    views.shape.length !== 4 ||
    views.shape.some((n) => !(n > 0)) ||
    views.shape[1] !== views.shape[2]
  )
    throw expected(caller, "a float32 ndarray [views, size, size, channels]", "views", views);
  checkReach(caller, "views", views);
}

/** Refuses an `out` that is not a float32 ndarray of exactly this shape, all of it within its data. */
export function checkOut(caller: string, out: unknown, shape: readonly number[]): void {
  if (
    !isFloats(out) ||
    out.shape.length !== shape.length ||
    shape.some((n, axis) => out.shape[axis] !== n)
  )
    throw expected(caller, `a float32 ndarray [${shape.join(", ")}]`, "out", out);
  checkReach(caller, "out", out);
}

/** Refuses an `out` within the views' memory: pixels would be read after they are written. */
export function checkApart(caller: string, views: Floats, out: Floats): void {
  if (views.data.buffer !== out.data.buffer) return;
  const [start, end] = bytes(views);
  const [from, to] = bytes(out);
  if (start < to && from < end)
    throw new RangeError(`${caller}: expected memory of its own for out but got the views'`);
}

type Floats = NdArray<Float32Array>;

/** Refuses what would be read as undefined, or written to nowhere. */
function checkReach(caller: string, name: string, array: Floats): void {
  const [low, high] = reach(array);
  const { length } = array.data;
  if (!(low >= 0 && high < length))
    throw new RangeError(
      `${caller}: expected data with the indices ${low} to ${high} for ${name} but got ${length} numbers`,
    );
}

/** The lowest and the highest index into its data that an ndarray has. */
function reach({ offset, shape, stride }: Floats): [low: number, high: number] {
  let low = offset;
  let high = offset;
  shape.forEach((n, axis) => {
    const way = (n - 1) * stride[axis]!;
    if (way < 0) low += way;
    else high += way;
  });
  return [low, high];
}

/** The bytes of its buffer that an ndarray spans, what lies between its elements included. */
function bytes(array: Floats): [start: number, end: number] {
  const { byteOffset, BYTES_PER_ELEMENT } = array.data;
  const [low, high] = reach(array);
  return [byteOffset + low * BYTES_PER_ELEMENT, byteOffset + (high + 1) * BYTES_PER_ELEMENT];
}

function isFloats(value: unknown): value is Floats {
  const array = value as Floats | null | undefined;
  return (
    Array.isArray(array?.shape) && Array.isArray(array.stride) && array.data instanceof Float32Array
  );
}

function show(value: unknown): string {
  const array = value as NdArray | null | undefined;
  if (Array.isArray(array?.shape)) return `${array.dtype} [${array.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `a ${value.constructor.name}`;
  return typeof value === "string" ? `"${value}"` : String(value);
}
