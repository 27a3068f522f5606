import { checkArray, checkFinite, checkInteger } from "./_check.ts";

/** A mean that is being formed; made by `createMean`. */
export interface Mean {
  /** How many arrays have been added. */
  readonly count: number;
  /** Adds one array of predictions, which may be reused afterwards. */
  add(values: ArrayLike<number>): void;
  /** The mean of all arrays added so far, in `out` if given. May be asked for at any time. */
  value(out?: Float32Array): Float32Array;
}

/**
 * An arithmetic mean of arrays of `length` numbers that arrive one after another, such as the
 * predictions under each of 60 transforms. Holds one sum in double precision, never the arrays.
 *
 * `add` throws a TypeError or RangeError for no array, another length or a number that is not finite
 * (the mean stays as it was), `value` an Error before the first `add`.
 */
export function createMean(length: number): Mean {
  checkInteger("createMean", "length", length, 1);
  const sum = new Float64Array(length);
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(values) {
      checkLength("add", "values", values, length);
      checkFinite("add", "values", values);
      for (let i = 0; i < length; i++) sum[i]! += values[i]!;
      count++;
    },
    value(out = new Float32Array(length)) {
      checkLength("value", "out", out, length);
      if (count === 0) throw new Error("value: expected at least one add before but got none");
      for (let i = 0; i < length; i++) out[i] = sum[i]! / count;
      return out;
    },
  };
}

function checkLength(where: string, name: string, values: ArrayLike<number>, length: number): void {
  checkArray(where, name, values);
  if (values.length !== length)
    throw new RangeError(
      `${where}: expected ${length} numbers for ${name} but got ${values.length}`,
    );
}
