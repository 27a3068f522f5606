import { createRng } from "@gz/augment";

/** Members added to each bag's ensemble after its start; weights are as fine as about 1/100. */
const ADDITIONS = 100;
/** A half of few members makes a poor ensemble: a bag has at least this many. */
const SMALLEST_BAG = 5;
/** Improvements below this, relatively, are rounding. */
const SAME = 1e-12;

/**
 * Random halves of `size` members, at least 5 in each, as ascending indices; with 1 bag, or too few
 * members to halve, one bag of all.
 */
export function drawBags(size: number, bags: number, seed: number): number[][] {
  const all = Array.from({ length: size }, (_, i) => i);
  const length = Math.max(SMALLEST_BAG, Math.ceil(size / 2));
  if (bags === 1 || length >= size) return [all];
  return Array.from({ length: bags }, (_, bag) => {
    const drawn = createRng(seed, bag).permutation(size).slice(0, length);
    return Array.from(drawn).sort((a, b) => a - b);
  });
}

/**
 * Ensemble selection (Caruana, Niculescu-Mizil, Crew and Ksikes 2004) from the Gram matrix of the
 * members' errors ([size, size], row-major). In each bag: start with the best n members, n as good
 * as it can be; add the member that helps the mean most, again and again, also one that is in
 * already; keep the best of the ensembles passed. The bags' ensembles are averaged.
 */
export function selectGreedily(
  gram: Float64Array,
  size: number,
  bags: readonly (readonly number[])[],
): number[] {
  const weights = new Array<number>(size).fill(0);
  for (const bag of bags) {
    const counts = selectInBag(gram, size, bag);
    const total = counts.reduce((sum, n) => sum + n, 0);
    for (const [i, count] of counts.entries()) weights[i]! += count / (total * bags.length);
  }
  return weights;
}

/** How often each member is in the best ensemble found. */
function selectInBag(gram: Float64Array, size: number, bag: readonly number[]): number[] {
  const own = (member: number) => gram[member * size + member]!;
  const ranked = [...bag].sort((a, b) => own(a) - own(b) || a - b);

  const prefix = startEnsemble(gram, size);
  let start = { error: Number.POSITIVE_INFINITY, length: 0 };
  for (const [i, member] of ranked.entries()) {
    prefix.add(member);
    if (isBelow(prefix.error(), start.error)) start = { error: prefix.error(), length: i + 1 };
  }

  const ensemble = startEnsemble(gram, size);
  for (const member of ranked.slice(0, start.length)) ensemble.add(member);
  let best = { error: ensemble.error(), counts: [...ensemble.counts] };
  for (let step = 0; step < ADDITIONS; step++) {
    ensemble.add(bag.reduce((a, b) => (ensemble.gain(b) < ensemble.gain(a) ? b : a)));
    if (isBelow(ensemble.error(), best.error))
      best = { error: ensemble.error(), counts: [...ensemble.counts] };
  }
  return best.counts;
}

/** Whether an error is lower by more than rounding. */
function isBelow(error: number, than: number): boolean {
  return error < than * (1 - SAME);
}

interface Ensemble {
  /** How often each member is in it. */
  readonly counts: number[];
  add(member: number): void;
  /** What adding a member would make of counts' E counts, less what it is. */
  gain(member: number): number;
  /** Squared error of the mean of all in it. */
  error(): number;
}

function startEnsemble(gram: Float64Array, size: number): Ensemble {
  const counts = new Array<number>(size).fill(0);
  const products = new Float64Array(size); // E counts: adding and judging a member costs O(size)
  let total = 0;
  let squares = 0; // counts' E counts
  const gain = (member: number) => 2 * products[member]! + gram[member * size + member]!;
  return {
    counts,
    gain,
    error: () => Math.max(squares, 0) / total ** 2,
    add(member) {
      squares += gain(member);
      for (let j = 0; j < size; j++) products[j]! += gram[member * size + j]!;
      counts[member]! += 1;
      total += 1;
    },
  };
}
