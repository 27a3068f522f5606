import { checkFinite, expectedNumber } from "./_check.ts";
import { cosDegrees, log, sinDegrees } from "./_math.ts";
import { philox } from "./_philox.ts";

/** A stream of random numbers; the same seeds give the same stream on every machine and engine. */
export interface Rng {
  /** A number in [lo, hi), of 53 random bits; where rounding would make it hi, it is lo. */
  uniform(lo?: number, hi?: number): number;
  /** A Gaussian number (Box-Muller on 53-bit uniforms, so up to 8.5 standard deviations). */
  normal(mean?: number, std?: number): number;
  /** An integer in [0, n), every one equally likely; n from 1 to 2^32. */
  int(n: number): number;
  /** True with probability p. */
  bool(p?: number): boolean;
  /** The integers 0 .. n - 1 in random order (Fisher-Yates). */
  permutation(n: number): Uint32Array;
}

/**
 * A random stream named by its seeds: `createRng(seed, step, slot)` is the stream of one slot of
 * one step, whatever was drawn before and by whom. Philox4x32-10 (Salmon et al., SC 2011), keyed by
 * a hash of the seeds; their number and order matter.
 *
 * @param seeds one or more safe integers, negative ones too
 * @throws TypeError for no seed or one that is no number, RangeError for one that is not a safe integer
 */
export function createRng(...seeds: number[]): Rng {
  const counter = hashSeeds(seeds);
  const k0 = counter[0]!;
  const k1 = counter[1]!;
  // The other half of the hash stays in the counter's upper words, so streams differ in 128 bits.
  counter[0] = 0;
  counter[1] = 0;

  const block = new Uint32Array(4);
  let used = 4;
  let spareNormal: number | undefined;

  function word(): number {
    if (used === 4) {
      philox(counter, k0, k1, block);
      if (++counter[0]! === 0x1_0000_0000) counter[1]!++;
      used = 0;
    }
    return block[used++]!;
  }

  function unit(): number {
    const high = word() >>> 5;
    return (high * 0x400_0000 + (word() >>> 6)) / 0x20_0000_0000_0000;
  }

  function int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000)
      throw expectedNumber("int", "an integer from 1 to 2^32", "n", n);
    // Words past the last whole multiple of n would favour small results: draw again.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % n);
    let value = word();
    while (value >= limit) value = word();
    return value % n;
  }

  return {
    uniform(lo = 0, hi = 1) {
      checkFinite("uniform", "lo", lo);
      if (!Number.isFinite(hi) || hi < lo)
        throw expectedNumber("uniform", `a finite number >= ${lo}`, "hi", hi);
      checkFinite("uniform", "hi - lo", hi - lo);
      const x = lo + (hi - lo) * unit();
      return x < hi || lo === hi ? x : lo;
    },
    normal(mean = 0, std = 1) {
      checkFinite("normal", "mean", mean);
      if (!Number.isFinite(std) || std < 0)
        throw expectedNumber("normal", "a finite number >= 0", "std", std);
      let z = spareNormal;
      if (z === undefined) {
        const radius = Math.sqrt(-2 * log(1 - unit()));
        const degrees = 360 * unit();
        z = radius * cosDegrees(degrees);
        spareNormal = radius * sinDegrees(degrees);
      } else {
        spareNormal = undefined;
      }
      return mean + std * z;
    },
    int,
    bool(p = 0.5) {
      if (!(p >= 0 && p <= 1)) throw expectedNumber("bool", "a probability from 0 to 1", "p", p);
      return unit() < p;
    },
    permutation(n) {
      if (!Number.isInteger(n) || n < 0 || n > 0xffff_ffff)
        throw expectedNumber("permutation", "an integer from 0 to 2^32 - 1", "n", n);
      const order = new Uint32Array(n).map((_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = int(i + 1);
        const swap = order[i]!;
        order[i] = order[j]!;
        order[j] = swap;
      }
      return order;
    },
  };
}

/** Folds any number of seeds into four words: h = philox(h; key = seed) xor h (Davies-Meyer). */
function hashSeeds(seeds: readonly number[]): Uint32Array {
  if (seeds.length === 0) throw new TypeError("createRng: expected at least one seed but got none");
  const hash = Uint32Array.of(seeds.length, 0, 0, 0);
  const next = new Uint32Array(4);
  for (const seed of seeds) {
    if (!Number.isSafeInteger(seed))
      throw expectedNumber("createRng", "a safe integer", "a seed", seed);
    philox(hash, seed | 0, Math.floor(seed / 0x1_0000_0000) | 0, next);
    for (let i = 0; i < 4; i++) hash[i]! ^= next[i]!;
  }
  return hash;
}
