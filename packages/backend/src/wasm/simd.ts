// The inner loops of the kernels, assembled for the memory of tfjs's wasm backend. Addresses and strides
// are in bytes, counts in elements; arrays are float32 where not said otherwise, and of any length.
import { assemble } from "./routines.ts";

type Routine = (...parameters: number[]) => void;

/** The assembled functions, each with its parameters. Strides, where a function has them, go (image, row, column). */
export interface Simd {
  /** (dy, y, dx, count): dx = dy where y > 0, else 0. */
  reluGrad: Routine;
  /** (a, b, sums, products, pixels, channels): sums[c] += a[p, c], products[c] += a[p, c] b[p, c]; the results are float64. */
  channelSums: Routine;
  /** (x, y, mean, gain, offset, pixels, channels): y[p, c] = (x[p, c] - mean[c]) gain[c] + offset[c]. */
  normalize: Routine;
  /** (dy, x, dx, level, gain, mean, slope, pixels, channels): dx[p, c] = (dy[p, c] - level[c]) gain[c] + (x[p, c] - mean[c]) slope[c]. */
  normalizeGrad: Routine;
  /** (theta, v, g, count, rate, momentum): v = momentum v - rate g; theta += momentum v - rate g. */
  nesterov: Routine;
  /**
   * (theta, m, v, g, count, beta1, 1 - beta1, beta2, 1 - beta2, rate, root, epsilon, keep): m = beta1 m + (1 - beta1) g;
   * v = beta2 v + (1 - beta2) g g; theta = keep theta - rate m / (sqrt(v) / root + epsilon).
   */
  adamw: Routine;
  /** (a, b, count, rate): a += rate (b - a). */
  approach: Routine;
  /** (to, from, images, rows, columns, strides of to, strides of from, channels): to[p, c] = from[p, c]. */
  copyPixels: Routine;
  /** The same, to[p, c] += from[p, c]. */
  addPixels: Routine;
  /**
   * (x, dx, y, dy, images, rows, columns, strides of x and dx, strides of y and dy, channels): where x[p, c] = y[p, c]
   * what dy[p, c] holds moves to dx[p, c], and dy[p, c] is 0 from then on.
   */
  passWhereEqual: Routine;
  /**
   * (jobs, count, outputs, begin, end): for every job dw[c, o] += the sum of x[p, c] dy[p, o] over the pixels p. A job is
   * JOB_FIELDS int32: x, dy, dw, images, rows, columns, strides of x, image and row stride of dy, channels, first. Neighbours in
   * a row of dy are adjacent. `first` numbers a job's first row of dw; only rows from begin to before end are computed.
   */
  outerProductsOf: Routine;
}

/** A WebAssembly.Memory, and as much of WebAssembly as is used here: TypeScript has it with the DOM only. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

/** Compiles the functions for a memory; workers make their own instances of the module. */
export function compile(memory: Memory): Compiled {
  const shared =
    typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(assemble({ shared }));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { module, memory, functions: exports as Simd };
}

/** The module, the memory that it works on, and its functions. */
export interface Compiled {
  module: object;
  memory: Memory;
  functions: Simd;
}
