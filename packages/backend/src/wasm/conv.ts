// Gradients of a 2D convolution, NHWC and HWIO.
import * as tf from "@tensorflow/tfjs";
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
  run,
  simd,
} from "./heap.ts";
import { forEachTap, type Geometry, reached } from "./taps.ts";
import { addOuterProducts, type OuterProduct } from "./team.ts";

type Padding = "valid" | "same" | number | [number, number][];
interface ConvAttrs {
  strides: number | [number, number];
  pad: Padding;
  dataFormat: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Registers both gradients of a convolution; tfjs has the convolution itself. */
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

/** Images are taken so many bytes of x and dy at a time, which stay in the cache for all taps. */
const GROUP_BYTES = 1 << 18;

/**
 * dW of a convolution: dW[i, j] += x[row i, column j of the pixel's patch] dy[pixel]', over all pixels. Where
 * a whole row of the patch lies inside the image its kw C values are one vector: they are neighbours in memory.
 */
function filterGradient({
  inputs,
  attrs,
  backend,
}: Call<{ x: Info; dy: Info }, ConvAttrs & { filterShape: number[] }>): Info {
  const g = geometry("Conv2DBackpropFilter", inputs.x.shape, attrs.filterShape, attrs);
  const { filterWidth: kw, inChannels: c, outChannels: o, strideHeight, strideWidth } = g;
  const dw = empty(backend, attrs.filterShape);
  floats(backend, dw).fill(0);
  const [x, dy, result] = [inputs.x, inputs.dy, dw].map((t) => address(backend, t));
  const xImage = 4 * g.inHeight * g.inWidth * c;
  const dyImage = 4 * g.outHeight * g.outWidth * o;
  const group = Math.max(1, Math.floor(GROUP_BYTES / (xImage + dyImage)));
  const columns = Array.from({ length: kw }, (_, j) =>
    reached(g.outWidth, g.inWidth, strideWidth, j - g.padInfo.left),
  );
  // Output columns whose whole patch row lies inside.
  const first = Math.max(...columns.map((r) => r.first));
  const last = Math.max(first, Math.min(...columns.map((r) => r.last)));
  const products: OuterProduct[] = [];
  for (let n = 0; n < g.batchSize; n += group)
    for (let i = 0; i < g.filterHeight; i++) {
      const rows = reached(g.outHeight, g.inHeight, strideHeight, i - g.padInfo.top);
      const row = rows.first * strideHeight + i - g.padInfo.top;
      const add = (from: number, to: number, j: number, taps: number): void => {
        if (to <= from || rows.last <= rows.first) return;
        const column = from * strideWidth + j - g.padInfo.left;
        products.push({
          x: x + n * xImage + 4 * (row * g.inWidth + column) * c,
          dy: dy + n * dyImage + 4 * (rows.first * g.outWidth + from) * o,
          dw: result + 4 * (i * kw + j) * c * o,
          pixels: [Math.min(group, g.batchSize - n), rows.last - rows.first, to - from],
          xStrides: [xImage, 4 * strideHeight * g.inWidth * c, 4 * strideWidth * c],
          dyStrides: [dyImage, 4 * g.outWidth * o],
          channels: taps * c,
          first: (i * kw + j) * c,
        });
      };
      add(first, last, 0, kw);
      columns.forEach((r, j) => {
        add(r.first, Math.min(first, r.last), j, 1);
        add(Math.max(last, r.first), r.last, j, 1);
      });
    }
  addOuterProducts(backend, products, g.filterHeight * kw * c, o);
  return dw;
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
    for (let i = 0; i < c; i++) for (let j = 0; j < o; j++) to[(tap * o + j) * c + i] = from[f++];
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
  floats(backend, dx).fill(0);
  const [from, to] = [shares, dx].map((t) => address(backend, t));
  const { addPixels } = simd(backend);
  const share = 4 * kh * kw * c;
  forEachTap(g, ({ i, j, pixels, inputOffset, inputStrides, outputOffset }) =>
    addPixels(
      to + 4 * c * inputOffset,
      from + share * outputOffset + 4 * (i * kw + j) * c,
      ...pixels,
      ...inputStrides.map((n) => 4 * c * n),
      ...[g.outHeight * g.outWidth, g.outWidth, 1].map((n) => share * n),
      c,
    ),
  );
  dispose(backend, shares);
  return dx;
}
