/**
 * SExtractor's curvatures (makebackspline) at `count` values that lie `stride` apart in an array, the knots one unit apart:
 * with them the background between two knots is a weighted sum of four numbers. They would be a sixth of the second
 * derivatives of the natural cubic spline, did SExtractor not divide by 6 once more at each step back: its curve still goes
 * through all values, but its slope jumps at the knots. Repeated here, so that the background is the same.
 */
export function secondDerivatives(
  values: Float32Array,
  out: Float32Array,
  offset: number,
  stride: number,
  count: number,
): void {
  // Thomas' algorithm for the natural spline, m[i-1] + 4 m[i] + m[i+1] = v[i-1] - 2 v[i] + v[i+1], m = 0 at the ends ...
  const last = offset + (count - 1) * stride;
  const ratio = new Float64Array(count);
  out[offset] = 0;
  out[last] = 0;
  for (let i = offset + stride, k = 1; i < last; i += stride, k++) {
    const pivot = 4 + ratio[k - 1]!;
    const right = values[i - stride]! - 2 * values[i]! + values[i + stride]!;
    ratio[k] = -1 / pivot;
    out[i] = (right - out[i - stride]!) / pivot;
  }
  // ... whose way back would be out[i] += ratio[k] * out[i + stride].
  for (let i = last - stride, k = count - 2; k > 0; i -= stride, k--)
    out[i]! += (ratio[k]! * out[i + stride]!) / 6;
}
