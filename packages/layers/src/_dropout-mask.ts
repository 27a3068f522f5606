// Bits from a counter: which elements survive is a pure function of (seed, step, element index), computed in integers, the same everywhere.

/** A bijection of 32-bit words in which every output bit depends on every input bit (C. Wellons' lowbias32). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** A 32-bit key from (seed, step), both up to 2^53; `start` makes independent keys of one pair. */
function key(start: number, seed: number, step: number): number {
  let k = start;
  for (const word of [seed, seed / 2 ** 32, step, step / 2 ** 32]) k = mix((k ^ word) + 0x9e3779b9);
  return k;
}

/** How fine rates are: multiples of 1 / 65,536. */
const LEVELS = 65536;

/** Fills `out` with 0 (dropped) or 1 / P(kept), for inverted dropout at `rate`, a multiple of 1 / 65,536 after rounding. */
export function fillMask(out: Float32Array, rate: number, seed: number, step: number): void {
  const a = key(0x243f6a88, seed, step);
  const b = key(0x13198a2e, seed, step);
  const n = out.length;
  if (rate === 0.5) {
    // One bit an element.
    for (let start = 0, word = 0; start < n; start += 32, word++) {
      let bits = mix(mix(word + a) ^ b);
      const end = Math.min(start + 32, n);
      for (let i = start; i < end; i++, bits >>>= 1) out[i] = (bits & 1) << 1;
    }
    return;
  }
  // Sixteen bits an element, against a threshold.
  const threshold = Math.round(rate * LEVELS);
  const kept = LEVELS / (LEVELS - threshold);
  for (let start = 0, word = 0; start < n; start += 2, word++) {
    const bits = mix(mix(word + a) ^ b);
    out[start] = (bits & 0xffff) < threshold ? 0 : kept;
    if (start + 1 < n) out[start + 1] = bits >>> 16 < threshold ? 0 : kept;
  }
}
