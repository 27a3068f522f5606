import type { NdArray } from "ndarray";

/** The error every public function throws: `extractParts: expected WHAT for partSize but got VALUE`. */
export function expected(caller: string, what: string, name: string, value: unknown): TypeError {
  return new TypeError(`${caller}: expected ${what} for ${name} but got ${show(value)}`);
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
    throw expected(caller, range, name, value);
  }
}

/** Refuses anything but a float32 ndarray [views, size, size, channels] without an empty axis. */
export function checkViews(caller: string, views: unknown): void {
  const fits = isFloats(views) && views.shape.length === 4 && views.shape.every((n) => n > 0);
  if (!fits || views.shape[1] !== views.shape[2])
    throw expected(caller, "a float32 ndarray [views, size, size, channels]", "views", views);
}

/** Refuses an `out` that is not a float32 ndarray of exactly this shape. */
export function checkOut(caller: string, out: unknown, shape: readonly number[]): void {
  const fits =
    isFloats(out) && out.shape.length === shape.length && shape.every((n, i) => out.shape[i] === n);
  if (!fits) throw expected(caller, `a float32 ndarray [${shape.join(", ")}]`, "out", out);
}

function isFloats(value: unknown): value is NdArray<Float32Array> {
  const array = value as NdArray<Float32Array> | null | undefined;
  return Array.isArray(array?.shape) && array.data instanceof Float32Array;
}

function show(value: unknown): string {
  const array = value as NdArray | null | undefined;
  if (Array.isArray(array?.shape)) return `${array.dtype} [${array.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "object" && value !== null ? `a ${value.constructor.name}` : `${value}`;
}
