/** Gaussian blur of a square picture [side, side, 3], edges repeated, into a new array. */
export function blur(picture: Float32Array, side: number, sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  const pass = (from: Float32Array, step: number, across: number) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < side; line++)
      for (let i = 0; i < side; i++)
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0;
          for (let k = -radius; k <= radius; k++) {
            const j = Math.min(side - 1, Math.max(0, i + k));
            sum += kernel[k + radius]! * from[line * across + j * step + channel]!;
          }
          to[line * across + i * step + channel] = sum / total;
        }
    return to;
  };
  return pass(pass(picture, 3, 3 * side), 3 * side, 3);
}
