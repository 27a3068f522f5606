import type { NdArray } from "ndarray";
import type { Image } from "./image.ts";

/**
 * The error every public function throws: `warp: expected WHAT for image but got VALUE`; a TypeError
 * for the wrong kind of value, a RangeError for a wrong value of the right kind.
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

/** Refuses NaN and infinities. */
export function checkFinite(caller: string, name: string, value: number): void {
  if (!Number.isFinite(value)) throw expectedNumber(caller, "a finite number", name, value);
}

/** Refuses anything but a positive integer. */
export function checkSize(caller: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw expectedNumber(caller, "a positive integer", name, value);
}

/** Refuses anything but true and false: 0.5 and "no" would count as true. */
export function checkBoolean(caller: string, name: string, value: unknown): void {
  if (typeof value !== "boolean") throw expected(caller, "a boolean", name, value);
}

/** Refuses anything but six finite numbers. */
export function checkAffine(caller: string, name: string, affine: unknown): void {
  const six = Array.isArray(affine) && affine.length === 6;
  if (!six || !affine.every(Number.isFinite))
    throw expected(caller, "six finite numbers", name, affine, six ? RangeError : TypeError);
}

/** Refuses anything but an ndarray [height, width, channels] without an empty axis, all of it within its data. */
export function checkImage(caller: string, name: string, image: unknown): void {
  if (
    !isNdArray(image) ||
    image.shape.length !== 3 ||
    image.shape.some((n) => !(n > 0)) ||
    !IMAGE_DATA.some((kind) => image.data instanceof kind)
  )
    throw expected(caller, "an ndarray [height, width, channels] of uint8 or float32", name, image);
  checkReach(caller, name, image);
}

const IMAGE_DATA = [Uint8Array, Uint8ClampedArray, Float32Array];

/** Refuses an `out` that is not a float32 ndarray of exactly this shape, all of it within its data. */
export function checkOut(caller: string, out: unknown, shape: readonly number[]): void {
  if (
    !isNdArray(out) ||
    !(out.data instanceof Float32Array) ||
    out.shape.length !== shape.length ||
    shape.some((n, axis) => out.shape[axis] !== n)
  )
    throw expected(caller, `a float32 ndarray [${shape.join(", ")}]`, "out", out);
  checkReach(caller, "out", out);
}

/** Refuses an `out` within the image's memory: pixels would be read after they are written. */
export function checkApart(caller: string, image: Image, out: NdArray<Float32Array>): void {
  if (image.data.buffer !== out.data.buffer) return;
  const [start, end] = bytes(image);
  const [from, to] = bytes(out);
  if (start < to && from < end)
    throw new RangeError(`${caller}: expected memory of its own for out but got the image's`);
}

/** Refuses what would be read as undefined, or written to nowhere. */
function checkReach(caller: string, name: string, array: NdArray): void {
  const [low, high] = reach(array);
  const { length } = array.data as ArrayLike<number>;
  if (!(low >= 0 && high < length))
    throw new RangeError(
      `${caller}: expected data with the indices ${low} to ${high} for ${name} but got ${length} numbers`,
    );
}

/** The lowest and the highest index into its data that an ndarray has. */
function reach({ offset, shape, stride }: NdArray): [low: number, high: number] {
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
function bytes(array: Image): [start: number, end: number] {
  const { byteOffset, BYTES_PER_ELEMENT } = array.data;
  const [low, high] = reach(array);
  return [byteOffset + low * BYTES_PER_ELEMENT, byteOffset + (high + 1) * BYTES_PER_ELEMENT];
}

function isNdArray(value: unknown): value is NdArray {
  const array = value as NdArray | null | undefined;
  return (
    typeof array?.index === "function" && Array.isArray(array.shape) && Array.isArray(array.stride)
  );
}

function show(value: unknown): string {
  if (isNdArray(value)) return `${value.dtype} [${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `a ${value.constructor.name}`;
  return typeof value === "string" ? `"${value}"` : String(value);
}
