// Gradients of a 2D convolution, NHWC and HWIO.
import * as tf from "@tensorflow/tfjs";
import {
  as,
  type Backend,
  type Call,
  dispose,
  empty,
  floats,
  type Info,
  register,
  run,
} from "./heap.ts";

type Padding = "valid" | "same" | number | [number, number][];
interface ConvAttrs {
  strides: number | [number, number];
  pad: Padding;
  dataFormat: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
}
type Geometry = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

export function registerConvolution(): void {
  register("Conv2DBackpropFilter", filterGradient);
  register("Conv2DBackpropInput", inputGradient);
}

function geometry(
  name: string,
  xShape: readonly number[],
  filterShape: readonly number[],
  attrs: ConvAttrs,
): Geometry {
  const { strides, pad, dataFormat, dimRoundingMode } = attrs;
  if (dataFormat !== "NHWC")
    throw new Error(`${name}: expected "NHWC" for dataFormat but got "${dataFormat}"`);
  return tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    1,
    pad as "valid",
    dimRoundingMode,
  );
}

/** dW of a convolution: itself a convolution, of x by dy with batch and channels exchanged. */
function filterGradient({
  inputs,
  attrs,
  backend,
}: Call<{ x: Info; dy: Info }, ConvAttrs & { filterShape: number[] }>): Info {
  const { x, dy } = inputs;
  const g = geometry("Conv2DBackpropFilter", x.shape, attrs.filterShape, attrs);
  const { filterHeight: kh, filterWidth: kw, strideHeight: sh, strideWidth: sw } = g;
  const xt = run(backend, "Transpose", { x }, { perm: [3, 1, 2, 0] });
  const dyt = run(backend, "Transpose", { x: dy }, { perm: [1, 2, 0, 3] });
  // Rows and columns of x that the strides never reach give rows and columns beyond the filter's.
  const bottom = Math.max(0, kh + (g.outHeight - 1) * sh - g.inHeight - g.padInfo.top);
  const right = Math.max(0, kw + (g.outWidth - 1) * sw - g.inWidth - g.padInfo.left);
  const full = run(
    backend,
    "Conv2D",
    { x: xt, filter: dyt },
    {
      strides: 1,
      dilations: [sh, sw],
      pad: [
        [0, 0],
        [g.padInfo.top, bottom],
        [g.padInfo.left, right],
        [0, 0],
      ],
      dataFormat: "NHWC",
    },
  );
  dispose(backend, xt, dyt);
  const dw = empty(backend, attrs.filterShape);
  exchange(floats(backend, full), full.shape, floats(backend, dw), attrs.filterShape);
  dispose(backend, full);
  return dw;
}

/** [C, h, w, O] to [kh, kw, C, O], leaving out what lies beyond kh and kw. */
function exchange(
  from: Float32Array,
  [, h, w]: number[],
  to: Float32Array,
  [kh, kw, c, o]: number[],
): void {
  let t = 0;
  for (let i = 0; i < kh!; i++)
    for (let j = 0; j < kw!; j++)
      for (let k = 0; k < c!; k++) {
        const f = ((k * h! + i) * w! + j) * o!;
        for (let q = 0; q < o!; q++) to[t++] = from[f + q]!;
      }
}

/** dx of a convolution. */
function inputGradient({
  inputs,
  attrs,
  backend,
}: Call<{ dy: Info; filter: Info }, ConvAttrs & { inputShape: number[] }>): Info {
  const { dy, filter } = inputs;
  const g = geometry("Conv2DBackpropInput", attrs.inputShape, filter.shape, attrs);
  const top = g.filterHeight - 1 - g.padInfo.top;
  const left = g.filterWidth - 1 - g.padInfo.left;
  const bottom = g.inHeight + g.filterHeight - 1 - g.outHeight - top;
  const right = g.inWidth + g.filterWidth - 1 - g.outWidth - left;
  const dense = g.strideHeight === 1 && g.strideWidth === 1;
  if (!dense || Math.min(top, left, bottom, right) < 0)
    return scatterGradient(backend, dy, filter, g);
  const turned = turn(backend, filter);
  const dx = run(
    backend,
    "Conv2D",
    { x: dy, filter: turned },
    {
      strides: 1,
      dilations: 1,
      pad: [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      dataFormat: "NHWC",
    },
  );
  dispose(backend, turned);
  return dx;
}

/** The filter turned by 180 degrees with its channels exchanged: [kh, kw, C, O] to [kh, kw, O, C]. */
function turn(backend: Backend, filter: Info): Info {
  const [kh, kw, c, o] = filter.shape as [number, number, number, number];
  const turned = empty(backend, [kh, kw, o, c]);
  const from = floats(backend, filter);
  const to = floats(backend, turned);
  let f = 0;
  for (let tap = kh * kw - 1; tap >= 0; tap--)
    for (let i = 0; i < c; i++) for (let j = 0; j < o; j++) to[(tap * o + j) * c + i] = from[f++]!;
  return turned;
}

/** Any strides: each output pixel's share for every tap by one matrix product, then added where it belongs. */
function scatterGradient(backend: Backend, dy: Info, filter: Info, g: Geometry): Info {
  const { filterHeight: kh, filterWidth: kw, inChannels: c, outChannels: o } = g;
  const pixels = g.batchSize * g.outHeight * g.outWidth;
  const shares = run(
    backend,
    "BatchMatMul",
    { a: as(dy, [pixels, o]), b: as(filter, [kh * kw * c, o]) },
    { transposeA: false, transposeB: true },
  );
  const dx = empty(backend, g.inShape);
  const from = floats(backend, shares);
  const to = floats(backend, dx).fill(0);
  let f = 0;
  for (let n = 0; n < g.batchSize; n++)
    for (let y = 0; y < g.outHeight; y++)
      for (let x = 0; x < g.outWidth; x++)
        for (let i = 0; i < kh; i++) {
          const row = y * g.strideHeight - g.padInfo.top + i;
          for (let j = 0; j < kw; j++, f += c) {
            const column = x * g.strideWidth - g.padInfo.left + j;
            if (row < 0 || row >= g.inHeight || column < 0 || column >= g.inWidth) continue;
            const t = ((n * g.inHeight + row) * g.inWidth + column) * c;
            for (let k = 0; k < c; k++) to[t + k]! += from[f + k]!;
          }
        }
  dispose(backend, shares);
  return dx;
}
