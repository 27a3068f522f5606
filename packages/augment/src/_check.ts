import type { NdArray } from "ndarray";

/** The error every public function throws: `warp: expected WHAT for image but got VALUE`. */
export function expected(caller: string, what: string, name: string, value: unknown): TypeError {
  return new TypeError(`${caller}: expected ${what} for ${name} but got ${show(value)}`);
}

/** Refuses NaN and infinities. */
export function checkFinite(caller: string, name: string, value: number): void {
  if (!Number.isFinite(value)) throw expected(caller, "a finite number", name, value);
}

/** Refuses anything but a positive integer. */
export function checkSize(caller: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw expected(caller, "a positive integer", name, value);
}

/** Refuses anything but an ndarray [height, width, channels] without an empty axis. */
export function checkImage(caller: string, name: string, image: unknown): void {
  const what = "an ndarray [height, width, channels] of uint8 or float32";
  if (!isNdArray(image) || image.shape.length !== 3 || image.shape.some((n) => !(n > 0)))
    throw expected(caller, what, name, image);
  if (!(image.data instanceof Uint8Array || isClampedOrFloat(image.data)))
    throw expected(caller, what, name, image);
}

/** Refuses an `out` that is not a float32 ndarray of exactly this shape. */
export function checkOut(caller: string, out: unknown, shape: readonly number[]): void {
  const fits =
    isNdArray(out) &&
    out.data instanceof Float32Array &&
    out.shape.length === shape.length &&
    shape.every((n, axis) => out.shape[axis] === n);
  if (!fits) throw expected(caller, `a float32 ndarray [${shape.join(", ")}]`, "out", out);
}

function isClampedOrFloat(data: unknown): boolean {
  return data instanceof Uint8ClampedArray || data instanceof Float32Array;
}

function isNdArray(value: unknown): value is NdArray<ArrayLike<number> & number[]> {
  const array = value as NdArray | null | undefined;
  return typeof array?.index === "function" && Array.isArray(array.shape);
}

function show(value: unknown): string {
  if (isNdArray(value)) return `${value.dtype} [${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `a ${value.constructor.name}`;
  return typeof value === "string" ? `"${value}"` : `${value}`;
}
