/** The histogram spans this many standard deviations on either side of the mean. */
const SPAN = 5;
/** Bins per pixel, such that the fullest bin of Gaussian noise holds 4 pixels. */
const BINS_PER_PIXEL = (Math.sqrt(2 / Math.PI) * SPAN) / 4;
const ROUNDS = 100;
const { fround, trunc } = Math;

/**
 * Mode of a cell's pixels and the noise about it, as SExtractor: mean and deviation of what lies within 2 sigma; a
 * histogram of 5 sigma either side, cut again and again at 3 sigma about its median until its width stays; then
 * 2.5 median - 1.5 mean (Pearson's estimate of the mode), or the median where the two are more than 0.3 sigma apart,
 * which tells of a crowded cell. Single precision where SExtractor has it: on images of 8 bits pixels lie on the bins'
 * edges.
 *
 * @param values of the cell's pixels, in any order
 * @param counts of pixels that have each value: images of bytes have few values
 * @param histogram scratch, longer than the cell has pixels
 */
export function cellMode(
  values: Float32Array,
  counts: Int32Array,
  histogram: Int32Array,
): { mode: number; noise: number } {
  const all = clippedMean(values, counts, -Infinity, Infinity);
  const low = fround(all.mean - 2 * all.sigma);
  const high = fround(all.mean + 2 * all.sigma);
  const { mean, sigma, count } = clippedMean(values, counts, low, high);
  const bins = Math.min(histogram.length, trunc(BINS_PER_PIXEL * count + 1));
  const scale = sigma > 0 ? fround((2 * SPAN * fround(sigma)) / bins) : 1;
  const zero = fround(mean - SPAN * sigma);
  fillHistogram(values, counts, histogram.fill(0, 0, bins), bins, scale, zero);
  const shape = clipHistogram(histogram, bins);
  const position =
    shape.sigma > 0 && Math.abs(shape.mean - shape.median) < 0.3 * shape.sigma
      ? 2.5 * shape.median - 1.5 * shape.mean
      : shape.sigma > 0
        ? shape.median
        : shape.mean;
  return { mode: zero + position * scale, noise: shape.sigma * scale };
}

/** Mean and standard deviation of the pixels within [low, high]. */
function clippedMean(values: Float32Array, counts: Int32Array, low: number, high: number) {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low || value > high) continue;
    const pixels = counts[i]!;
    sum += pixels * value;
    squares += pixels * value * value;
    count += pixels;
  }
  const mean = sum / count;
  return { count, mean, sigma: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

function fillHistogram(
  values: Float32Array,
  counts: Int32Array,
  histogram: Int32Array,
  bins: number,
  scale: number,
  zero: number,
): void {
  const shift = fround(0.499999 - fround(zero / scale));
  for (let i = 0; i < values.length; i++) {
    const bin = fround(fround(values[i]! / scale) + shift);
    // What lies less than a bin below the first one counts to it.
    if (bin > -1 && bin < bins) histogram[bin | 0]! += counts[i]!;
  }
}

/** Median, mean and standard deviation of a histogram in bins, cut at 3 sigma about the median until they stay. */
function clipHistogram(histogram: Int32Array, bins: number) {
  // The bins that hold anything: few of them in an image of 8 bits.
  const filled: number[] = [];
  for (let bin = 0; bin < bins; bin++) if (histogram[bin]! > 0) filled.push(bin);
  let first = 0;
  let last = bins - 1;
  let [mean, median, sigma] = [0, 0, 10 * last];
  let before = 1;
  for (let round = 0; round < ROUNDS; round++) {
    if (!(sigma >= 0.1 && Math.abs(sigma / before - 1) > 1e-4)) break;
    before = sigma;
    let from = 0;
    let to = filled.length - 1;
    while (from <= to && filled[from]! < first) from++;
    while (to >= from && filled[to]! > last) to--;
    let [sum, firstMoment, secondMoment] = [0, 0, 0];
    for (let k = from; k <= to; k++) {
      const bin = filled[k]!;
      const pixels = histogram[bin]!;
      sum += pixels;
      firstMoment += pixels * bin;
      secondMoment += pixels * bin * bin;
    }
    median = walkToMedian(histogram, filled.slice(from, to + 1), first, last);
    mean = sum > 0 ? firstMoment / sum : 0;
    const variance = sum > 0 ? secondMoment / sum - mean * mean : 0;
    sigma = variance > 0 ? Math.sqrt(variance) : 0;
    const [low, high] = [median - 3 * sigma, median + 3 * sigma];
    first = low > 0 ? trunc(low + 0.5) : 0;
    last = high < bins - 1 ? trunc(high > 0 ? high + 0.5 : high - 0.5) : bins - 1;
  }
  return { mean, median, sigma };
}

/**
 * Two hands walk from both ends, always the one that has passed fewer pixels (the right one when both passed the same),
 * until they meet: there lies the median, shifted within the bin by what one hand has passed more than the other.
 *
 * @param filled the bins of first ... last that hold anything, ascending
 */
function walkToMedian(
  histogram: Int32Array,
  filled: readonly number[],
  first: number,
  last: number,
): number {
  let [left, right, passedLeft, passedRight] = [first, last, 0, 0];
  for (let i = 0, j = filled.length - 1; i <= j; ) {
    if (passedLeft < passedRight) {
      left = filled[i++]! + 1;
      passedLeft += histogram[left - 1]!;
    } else {
      right = filled[j--]! - 1;
      passedRight += histogram[right + 1]!;
    }
  }
  // Nothing but empty bins between them: one hand walks up to the other.
  if (passedLeft < passedRight) left = right + 1;
  else right = left - 1;
  if (right < 0) return 0;
  const fuller = Math.max(histogram[left]!, histogram[right]!);
  return right + 0.5 + (passedRight - passedLeft) / (2 * fuller);
}
