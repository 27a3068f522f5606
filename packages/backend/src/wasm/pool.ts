// Gradients of pooling, NHWC, any window, stride and padding.
import * as tf from "@tensorflow/tfjs";
import {
  address,
  type Backend,
  type Call,
  dispose,
  empty,
  floats,
  type Info,
  register,
  simd,
} from "./heap.ts";
import { forEachTap, type Geometry } from "./taps.ts";

interface PoolAttrs {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: "valid" | "same" | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Registers the gradients of maximum and average pooling. */
export function registerPooling(): void {
  register("MaxPoolGrad", maxPoolGrad);
  register("AvgPoolGrad", averagePoolGrad);
}

function geometry(shape: readonly number[], attrs: PoolAttrs): Geometry {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const image = shape as [number, number, number, number];
  return tf.backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode);
}

/** The whole of dy goes to the first pixel of the window, row by row, that has the maximum, as in TensorFlow. */
function maxPoolGrad({
  inputs,
  attrs,
  backend,
}: Call<{ dy: Info; input: Info; output: Info }, PoolAttrs>): Info {
  const g = geometry(inputs.input.shape, attrs);
  const dx = zeros(backend, g.inShape);
  const rest = copy(backend, inputs.dy);
  const { passWhereEqual } = simd(backend);
  const [x, to, y, from] = [inputs.input, dx, inputs.output, rest].map((t) => address(backend, t));
  const bytes = 4 * g.inChannels;
  const outputStrides = [g.outHeight * g.outWidth, g.outWidth, 1];
  forEachTap(g, ({ pixels, inputOffset, inputStrides, outputOffset }) =>
    passWhereEqual(
      ...[x, to].map((start) => start + bytes * inputOffset),
      ...[y, from].map((start) => start + bytes * outputOffset),
      ...pixels,
      ...[...inputStrides, ...outputStrides].map((n) => bytes * n),
      g.inChannels,
    ),
  );
  dispose(backend, rest);
  return dx;
}

/** Every pixel of a window gets an equal share of dy; pixels outside the image do not count, as in the pooling itself. */
function averagePoolGrad({
  inputs,
  attrs,
  backend,
}: Call<{ dy: Info; input: Info }, PoolAttrs>): Info {
  const g = geometry(inputs.input.shape, attrs);
  const dx = zeros(backend, g.inShape);
  const shares = copy(backend, inputs.dy);
  divideByCounts(floats(backend, shares), g);
  const { addPixels } = simd(backend);
  const [to, from] = [dx, shares].map((t) => address(backend, t));
  const bytes = 4 * g.inChannels;
  const outputStrides = [g.outHeight * g.outWidth, g.outWidth, 1];
  forEachTap(g, ({ pixels, inputOffset, inputStrides, outputOffset }) =>
    addPixels(
      to + bytes * inputOffset,
      from + bytes * outputOffset,
      ...pixels,
      ...[...inputStrides, ...outputStrides].map((n) => bytes * n),
      g.inChannels,
    ),
  );
  dispose(backend, shares);
  return dx;
}

/** Divides each output pixel's values by the number of pixels of its window that lie inside the image. */
function divideByCounts(values: Float32Array, g: Geometry): void {
  const inside = (position: number, stride: number, before: number, window: number, size: number) =>
    Math.min(size, position * stride - before + window) - Math.max(0, position * stride - before);
  let at = 0;
  for (let n = 0; n < g.batchSize; n++)
    for (let y = 0; y < g.outHeight; y++) {
      const rows = inside(y, g.strideHeight, g.padInfo.top, g.filterHeight, g.inHeight);
      for (let x = 0; x < g.outWidth; x++) {
        const columns = inside(x, g.strideWidth, g.padInfo.left, g.filterWidth, g.inWidth);
        const share = 1 / (rows * columns);
        for (let c = 0; c < g.inChannels; c++) values[at++] *= share;
      }
    }
}

function zeros(backend: Backend, shape: readonly number[]): Info {
  const result = empty(backend, shape);
  floats(backend, result).fill(0);
  return result;
}

function copy(backend: Backend, x: Info): Info {
  const result = empty(backend, x.shape);
  floats(backend, result).set(floats(backend, x));
  return result;
}
