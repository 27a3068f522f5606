// Bits from a counter: which elements survive is a pure function of (seed, step, element index), computed in integers, the same everywhere.

/** A bijection of 32-bit words in which every output bit depends on every input bit (C. Wellons' lowbias32). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** A 32-bit key of (seed, step), both below 2^53; another `start` gives an independent key of the same pair. */
function key(start: number, seed: number, step: number): number {
  let k = start;
  for (const word of [seed, seed / 2 ** 32, step, step / 2 ** 32]) k = mix((k ^ word) + 0x9e3779b9);
  return k;
}

/** Rates are multiples of 1 / LEVELS. */
export const LEVELS = 65536;

/**
 * Fills `out` with 0 (dropped) or 1 / P(kept), the factors of inverted dropout. Floats are written as their bits, without branches:
 * a mask is unpredictable, so a branch an element would cost more than the hash.
 */
export function fillMask(out: Float32Array, rate: number, seed: number, step: number): void {
  const a = key(0x243f6a88, seed, step);
  const b = key(0x13198a2e, seed, step);
  const bits = new Int32Array(out.buffer, out.byteOffset, out.length);
  if (rate === 0.5) fillHalf(bits, a, b);
  else fillAbove(bits, Math.round(rate * LEVELS), a, b);
}

/** One bit an element. */
function fillHalf(out: Int32Array, a: number, b: number): void {
  for (let start = 0, word = 0; start < out.length; start += 32, word++) {
    let bits = mix(mix((word + a) | 0) ^ b);
    const end = Math.min(start + 32, out.length);
    for (let i = start; i < end; i++, bits >>>= 1) out[i] = (bits & 1) << 30; // 0x40000000 is 2
  }
}

/** Sixteen bits an element: kept where they reach the threshold. */
function fillAbove(out: Int32Array, threshold: number, a: number, b: number): void {
  const kept = new Int32Array(new Float32Array([LEVELS / (LEVELS - threshold)]).buffer)[0]!;
  for (let i = 0, word = 0; i < out.length; i += 2, word++) {
    const bits = mix(mix((word + a) | 0) ^ b);
    out[i] = kept & ~(((bits & 0xffff) - threshold) >> 31);
    if (i + 1 < out.length) out[i + 1] = kept & ~(((bits >>> 16) - threshold) >> 31);
  }
}
