// What tfjs composes of many operations, in one pass over the heap.
import { type Call, empty, floats, type Info, register } from "./heap.ts";

export function registerNetworkKernels(): void {
  register("GzReluGrad", reluGrad);
  register("GzBatchNorm", batchNorm);
  register("GzBatchNormGrad", batchNormGrad);
}

/** dx = dy where y > 0, else 0. */
function reluGrad({ inputs, backend }: Call<{ dy: Info; y: Info }>): Info {
  const result = empty(backend, inputs.dy.shape);
  const dy = floats(backend, inputs.dy);
  const y = floats(backend, inputs.y);
  const dx = floats(backend, result);
  for (let i = 0; i < dx.length; i++) dx[i] = y[i]! > 0 ? dy[i]! : 0;
  return result;
}

/** y = scale (x - mean) / sqrt(variance + epsilon) + offset, statistics over all axes but the last. */
function batchNorm({
  inputs,
  attrs: { epsilon },
  backend,
}: Call<{ x: Info; scale: Info; offset: Info }, { epsilon: number }>): Info[] {
  const channels = inputs.scale.shape[0]!;
  const result = empty(backend, inputs.x.shape);
  // Mean, variance, then what the gradient needs: the mean once more and 1 / sqrt(variance + epsilon).
  const statistics = [0, 1, 2, 3].map(() => empty(backend, [channels]));
  const x = floats(backend, inputs.x);
  const scale = floats(backend, inputs.scale);
  const offset = floats(backend, inputs.offset);
  const [mean, variance, saved, inverse] = statistics.map((s) => floats(backend, s));

  const count = x.length / channels;
  const [sums, squares] = sumsOfProducts(x, x, channels);
  const gain = new Float64Array(channels);
  const level = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const m = sums[c]! / count;
    // In double precision the difference is safe for any float32 images.
    const v = Math.max(squares[c]! / count - m * m, 0);
    const i = 1 / Math.sqrt(v + epsilon);
    mean![c] = saved![c] = m;
    variance![c] = v;
    inverse![c] = i;
    gain[c] = scale[c]! * i;
    level[c] = offset[c]! - m * gain[c]!;
  }
  const y = floats(backend, result);
  for (let i = 0; i < y.length; i += channels)
    for (let c = 0; c < channels; c++) y[i + c] = x[i + c]! * gain[c]! + level[c]!;
  return [result, ...statistics];
}

/**
 * With u = (x - mean) / sqrt(variance + epsilon): doffset = sum dy, dscale = sum dy u,
 * dx = scale / sqrt(variance + epsilon) (dy - mean(dy) - u mean(dy u)).
 */
function batchNormGrad({
  inputs,
  backend,
}: Call<{ dy: Info; x: Info; scale: Info; saved1: Info; saved2: Info }>): Info[] {
  const channels = inputs.scale.shape[0]!;
  const result = empty(backend, inputs.x.shape);
  const scaleResult = empty(backend, [channels]);
  const offsetResult = empty(backend, [channels]);
  const dy = floats(backend, inputs.dy);
  const x = floats(backend, inputs.x);
  const scale = floats(backend, inputs.scale);
  const mean = floats(backend, inputs.saved1);
  const inverse = floats(backend, inputs.saved2);
  const dscale = floats(backend, scaleResult);
  const doffset = floats(backend, offsetResult);

  const count = x.length / channels;
  const [sums, products] = sumsOfProducts(dy, x, channels);
  // dx = gain dy + slope x + level
  const gain = new Float64Array(channels);
  const slope = new Float64Array(channels);
  const level = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const m = mean[c]!;
    const i = inverse[c]!;
    const projection = (products[c]! - m * sums[c]!) * i;
    dscale[c] = projection;
    doffset[c] = sums[c]!;
    gain[c] = scale[c]! * i;
    slope[c] = (-gain[c]! * i * projection) / count;
    level[c] = (-gain[c]! * sums[c]!) / count - slope[c]! * m;
  }
  const dx = floats(backend, result);
  for (let i = 0; i < dx.length; i += channels)
    for (let c = 0; c < channels; c++)
      dx[i + c] = dy[i + c]! * gain[c]! + x[i + c]! * slope[c]! + level[c]!;
  return [result, scaleResult, offsetResult];
}

/** Sum of a, and of a b, for each channel, in double precision. Four channels at a time stay in registers. */
function sumsOfProducts(
  a: Float32Array,
  b: Float32Array,
  channels: number,
): [Float64Array, Float64Array] {
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels);
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    let [p0, p1, p2, p3] = [0, 0, 0, 0];
    for (let i = c; i < a.length; i += channels) {
      const a0 = a[i]!;
      const a1 = a[i + 1]!;
      const a2 = a[i + 2]!;
      const a3 = a[i + 3]!;
      s0 += a0;
      s1 += a1;
      s2 += a2;
      s3 += a3;
      p0 += a0 * b[i]!;
      p1 += a1 * b[i + 1]!;
      p2 += a2 * b[i + 2]!;
      p3 += a3 * b[i + 3]!;
    }
    sums.set([s0, s1, s2, s3], c);
    products.set([p0, p1, p2, p3], c);
  }
  for (; c < channels; c++)
    for (let i = c; i < a.length; i += channels) {
      sums[c]! += a[i]!;
      products[c]! += a[i]! * b[i]!;
    }
  return [sums, products];
}
