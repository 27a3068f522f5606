/** Gaussian blur of a square picture [side, side, 3], edges repeated, into a new array. */
export function blur(picture: Float32Array, side: number, sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const kernel = Float32Array.from(weights, (weight) => weight / total);
  const row = 3 * side;
  const inside = (i: number) => Math.min(side - 1, Math.max(0, i));

  // Both passes add whole rows, shifted and weighted: loops over neighbours in memory are several times as fast.
  const across = new Float32Array(picture.length);
  const padded = new Float32Array(row + 6 * radius);
  for (let y = 0; y < side; y++) {
    for (let i = 0; i < padded.length; i++)
      padded[i] = picture[y * row + 3 * inside(Math.floor(i / 3) - radius) + (i % 3)]!;
    for (let k = 0; k < kernel.length; k++) addRow(across, y * row, padded, 3 * k, kernel[k]!, row);
  }
  const out = new Float32Array(picture.length);
  for (let y = 0; y < side; y++)
    for (let k = 0; k < kernel.length; k++)
      addRow(out, y * row, across, inside(y + k - radius) * row, kernel[k]!, row);
  return out;
}

function addRow(
  to: Float32Array,
  at: number,
  from: Float32Array,
  start: number,
  weight: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[at + i]! += weight * from[start + i]!;
}
