// Matrix products of training. tfjs's own run outside XNNPACK where a factor is transposed, an order of magnitude slower than
// transposing first; and XNNPACK packs the second factor anew whenever it has changed, which for the wide dense layer of a
// small batch takes many times as long as the product.
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
  replaced,
  run,
} from "./heap.ts";
import { addOuterProducts } from "./team.ts";

interface Attrs {
  transposeA: boolean;
  transposeB: boolean;
}
type Product = (call: Call<{ a: Info; b: Info }, Attrs>) => Info;

/** Up to so many rows of A and from so many weights on, a product is made without packing. */
const FEW_ROWS = 64;
const MANY_WEIGHTS = 1 << 16;
/** B is taken so many bytes at a time: they stay in the cache for all rows of A. */
const TILE_BYTES = 1 << 18;

/** Registers products that transpose first, and wide ones without packing, before tfjs's own. */
export function registerMatMul(): void {
  const packed = replaced("BatchMatMul") as unknown as Product;
  register<{ a: Info; b: Info }, Attrs>("BatchMatMul", ({ inputs: { a, b }, attrs, backend }) => {
    const { transposeA, transposeB } = attrs;
    const product = (left: Info, right: Info): Info => {
      if (isWide(left, right)) return wideProduct(backend, left, right);
      const inputs = { a: left, b: right };
      return packed({ inputs, attrs: { transposeA: false, transposeB: false }, backend });
    };
    if (!transposeA && !transposeB) return product(a, b);
    if (!transposeB) return using(backend, transpose(backend, a), (at) => product(at, b));
    const single = isSingle(a) && isSingle(b);
    // A B' = (B A')': the transposed copies are then of A and of the product, which is less to move
    // where B is the weights of a wide dense layer.
    const rows = a.shape.at(transposeA ? -1 : -2)!;
    const [columns, depth] = b.shape.slice(-2);
    if (single && (transposeA || rows * (depth + columns) < columns * depth)) {
      const flipped = transposeA
        ? product(b, a)
        : using(backend, transpose(backend, a), (at) => product(b, at));
      return using(backend, flipped, (r) => transpose(backend, r));
    }
    return using(backend, transpose(backend, b), (bt) =>
      transposeA ? using(backend, transpose(backend, a), (at) => product(at, bt)) : product(a, bt),
    );
  });

  const fused = replaced("_FusedMatMul");
  register<FusedInputs, FusedAttrs>("_FusedMatMul", (call) => {
    const { inputs, attrs, backend } = call;
    const { a, b, bias } = inputs;
    const activation = ACTIVATIONS[attrs.activation];
    const plain = !attrs.transposeA && !attrs.transposeB && activation !== undefined;
    // Others are tfjs's, which refuses those of another rank.
    const simple = !bias || (bias.shape.length === 1 && bias.shape[0] === b.shape.at(-1));
    if (!plain || !simple || !isWide(a, b)) return fused(call as never) as Info;
    const linear = wideProduct(backend, a, b, bias);
    if (activation === "") return linear;
    return using(backend, linear, (x) => run(backend, activation, { x }));
  });
}

interface FusedInputs {
  a: Info;
  b: Info;
  bias?: Info;
}
interface FusedAttrs extends Attrs {
  activation: string;
}
/** The kernel of each activation that tfjs fuses and that has no parameter. */
const ACTIVATIONS: Record<string, string | undefined> = {
  linear: "",
  relu: "Relu",
  relu6: "Relu6",
  sigmoid: "Sigmoid",
  elu: "Elu",
};

function isSingle({ shape }: Info): boolean {
  return shape.slice(0, -2).every((n) => n === 1);
}

function isWide(a: Info, b: Info): boolean {
  const [depth, columns] = b.shape.slice(-2);
  const few = a.shape.at(-2)! <= FEW_ROWS && depth * columns >= MANY_WEIGHTS;
  return few && isSingle(a) && isSingle(b) && a.dtype === "float32" && b.dtype === "float32";
}

/** A B + bias, as the sum over the depth of outer products of A's columns and B's rows. */
function wideProduct(backend: Backend, a: Info, b: Info, bias?: Info): Info {
  const rows = a.shape.at(-2)!;
  const [depth, columns] = b.shape.slice(-2);
  const [outerA, outerB] = [a, b].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const y = empty(backend, [...outer, rows, columns]);
  return using(backend, transpose(backend, a), (at) => {
    const values = floats(backend, y);
    if (bias) for (let i = 0; i < rows; i++) values.set(floats(backend, bias), i * columns);
    else values.fill(0);
    const [x, dy, dw] = [at, b, y].map((t) => address(backend, t));
    const tile = Math.max(8, Math.floor(TILE_BYTES / (4 * columns)));
    const tiles = Array.from({ length: Math.ceil(depth / tile) }, (_, i) => i * tile);
    const products = tiles.map((k) => ({
      x: x + 4 * k * rows,
      dy: dy + 4 * k * columns,
      dw,
      pixels: [1, 1, Math.min(tile, depth - k)] as const,
      xStrides: [0, 0, 4 * rows] as const,
      dyStrides: [0, 0] as const,
      channels: rows,
      first: 0,
    }));
    addOuterProducts(backend, products, rows, columns);
    return y;
  });
}

/** Exchanges the last two axes. */
function transpose(backend: Backend, x: Info): Info {
  const [rows, columns] = x.shape.slice(-2);
  const outer = x.shape.slice(0, -2);
  const flat = as(x, [tf.util.sizeFromShape(outer), rows, columns]);
  const y = run(backend, "Transpose", { x: flat }, { perm: [0, 2, 1] });
  return as(y, [...outer, columns, rows]);
}

function using(backend: Backend, x: Info, f: (x: Info) => Info): Info {
  const y = f(x);
  dispose(backend, x);
  return y;
}
