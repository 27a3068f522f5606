// What tfjs composes of many operations, in one or two passes over the heap.
import * as tf from "@tensorflow/tfjs";
import { checkChannels, checkShape } from "../check-kernel.ts";
import {
  address,
  as,
  type Backend,
  type Call,
  dispose,
  empty,
  floats,
  type Info,
  register,
  replaced,
  simd,
} from "./heap.ts";

/** Registers the gradient of ReLU, batch normalisation and its gradient, sums for biases, and a copy that copies nothing. */
export function registerNetworkKernels(): void {
  register("Identity", identity);
  registerSum();
  register("GzReluGrad", reluGrad);
  register("GzBatchNorm", batchNorm);
  register("GzBatchNormGrad", batchNormGrad);
}

/** Shares the data; tfjs's own copies it. */
function identity({ inputs: { x }, backend }: Call<{ x: Info }>): Info {
  backend.incRef(x.dataId);
  return as(x, x.shape);
}

/**
 * The sum over all axes but the last, the gradient of a bias, without the transposed copy that tfjs makes; other sums are
 * tfjs's.
 */
function registerSum(): void {
  const general = replaced("Sum");
  register<{ x: Info }, { axis: number | number[]; keepDims: boolean }>("Sum", (call) => {
    const { inputs, attrs, backend } = call;
    const { shape, dtype } = inputs.x;
    const axes = tf.util.parseAxisParam(attrs.axis, shape);
    const channels = shape.at(-1) ?? 0;
    const leading = axes.length === shape.length - 1 && !axes.includes(shape.length - 1);
    if (!leading || axes.length === 0 || channels < 4 || dtype !== "float32")
      return general(call as never) as Info;
    const result = empty(backend, attrs.keepDims ? [...axes.map(() => 1), channels] : [channels]);
    const [sums] = channelSums(backend, inputs.x, inputs.x, channels);
    floats(backend, result).set(sums);
    return result;
  });
}

/** dx = dy where y > 0, else 0. */
function reluGrad({ inputs, backend }: Call<{ dy: Info; y: Info }>): Info {
  checkShape("GzReluGrad", inputs.dy.shape, { ...inputs });
  const result = empty(backend, inputs.dy.shape);
  const [dy, y, dx] = [inputs.dy, inputs.y, result].map((t) => address(backend, t));
  simd(backend).reluGrad(dy, y, dx, floats(backend, result).length);
  return result;
}

type Norm = Record<"x" | "scale" | "offset" | "movingMean" | "movingVariance", Info>;

/** y = scale (x - mean) / sqrt(variance + epsilon) + offset, statistics over all axes but the last; the moving ones after it. */
function batchNorm({
  inputs,
  attrs: { epsilon, momentum },
  backend,
}: Call<Norm, { epsilon: number; momentum: number }>): Info[] {
  const { x: values, ...perChannel } = inputs;
  checkChannels("GzBatchNorm", { x: values }, perChannel);
  const channels = inputs.scale.shape[0];
  const result = empty(backend, inputs.x.shape);
  // Moving mean and variance, then what the gradient needs: the mean and 1 / sqrt(variance + epsilon).
  const statistics = [0, 1, 2, 3].map(() => empty(backend, [channels]));
  const gains = empty(backend, [channels]);
  const pixels = floats(backend, result).length / channels;
  const [sums, squares] = channelSums(backend, inputs.x, inputs.x, channels);

  const scale = floats(backend, inputs.scale);
  const [oldMean, oldVariance] = [inputs.movingMean, inputs.movingVariance].map((s) =>
    floats(backend, s),
  );
  const [newMean, newVariance, mean, inverse] = statistics.map((s) => floats(backend, s));
  const keep = pixels > 0 ? momentum : 1; // a batch of nothing teaches nothing
  const share = 1 - keep;
  const count = Math.max(pixels, 1);
  const unbiased = pixels / Math.max(pixels - 1, 1);
  const gain = floats(backend, gains);
  for (let c = 0; c < channels; c++) {
    const m = sums[c] / count;
    // The sums are double precision: the difference is safe for float32 values.
    const v = Math.max(squares[c] / count - m * m, 0);
    const i = 1 / Math.sqrt(v + epsilon);
    mean[c] = m;
    newMean[c] = oldMean[c] * keep + m * share;
    newVariance[c] = oldVariance[c] * keep + v * unbiased * share;
    inverse[c] = i;
    gain[c] = scale[c] * i;
  }
  const [x, y, m, k, offset] = [inputs.x, result, statistics[2], gains, inputs.offset].map((t) =>
    address(backend, t),
  );
  simd(backend).normalize(x, y, m, k, offset, pixels, channels);
  dispose(backend, gains);
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
  checkChannels(
    "GzBatchNormGrad",
    { x: inputs.x, dy: inputs.dy },
    { scale: inputs.scale, saved1: inputs.saved1, saved2: inputs.saved2 },
  );
  const channels = inputs.scale.shape[0];
  const result = empty(backend, inputs.x.shape);
  const [dscales, doffsets, levels, gains, slopes] = [0, 1, 2, 3, 4].map(() =>
    empty(backend, [channels]),
  );
  const pixels = floats(backend, result).length / channels;
  const [sums, products] = channelSums(backend, inputs.dy, inputs.x, channels);

  const [dscale, doffset, level, gain, slope, scale, mean, inverse] = [
    ...[dscales, doffsets, levels, gains, slopes],
    ...[inputs.scale, inputs.saved1, inputs.saved2],
  ].map((t) => floats(backend, t));
  for (let c = 0; c < channels; c++) {
    dscale[c] = (products[c] - mean[c] * sums[c]) * inverse[c];
    doffset[c] = sums[c];
    level[c] = sums[c] / pixels;
    gain[c] = scale[c] * inverse[c];
    slope[c] = (-gain[c] * inverse[c] * dscale[c]) / pixels;
  }
  const [dy, x, dx, l, k, m, s] = [
    ...[inputs.dy, inputs.x, result],
    ...[levels, gains, inputs.saved1, slopes],
  ].map((t) => address(backend, t));
  simd(backend).normalizeGrad(dy, x, dx, l, k, m, s, pixels, channels);
  dispose(backend, levels, gains, slopes);
  return [result, dscales, doffsets];
}

/** Sum of a, and of a b, for each channel, in double precision. */
function channelSums(backend: Backend, a: Info, b: Info, channels: number): Float64Array[] {
  const memory = empty(backend, [4 * channels]);
  const bytes = floats(backend, memory).fill(0);
  const start = address(backend, memory);
  const pixels = floats(backend, a).length / channels;
  simd(backend).channelSums(
    address(backend, a),
    address(backend, b),
    start,
    start + 8 * channels,
    pixels,
    channels,
  );
  const both = new Float64Array(bytes.slice().buffer);
  dispose(backend, memory);
  return [both.subarray(0, channels), both.subarray(channels)];
}
