/** A value as it reads in an error message: short, and telling a string from a number. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `an object (${Object.keys(value).join(", ")})`;
  return String(value);
}

/** Throws unless `value` is an integer of at least `least`. */
export function checkInteger(caller: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(
      `${caller}: expected an integer of at least ${least} for ${name} but got ${show(value)}`,
    );
}

/** Throws unless `value` is a number in [0, 1). */
export function checkFraction(caller: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new RangeError(
      `${caller}: expected a number in [0, 1) for ${name} but got ${show(value)}`,
    );
}

/** Throws unless `value` is a function. */
export function checkFunction(caller: string, name: string, value: unknown): void {
  if (typeof value !== "function")
    throw new TypeError(`${caller}: expected a function for ${name} but got ${show(value)}`);
}

/** Throws unless `value` is a finite number of at least 0. */
export function checkNotNegative(caller: string, name: string, value: number): void {
  if (!(value >= 0 && value < Infinity))
    throw new RangeError(
      `${caller}: expected a finite number of at least 0 for ${name} but got ${show(value)}`,
    );
}
