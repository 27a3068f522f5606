// Matrix products with a transposed factor: tfjs's own run outside XNNPACK, an order of magnitude slower
// than transposing first.
import * as tf from "@tensorflow/tfjs";
import { as, type Backend, type Call, dispose, type Info, register, run } from "./heap.ts";

interface Attrs {
  transposeA: boolean;
  transposeB: boolean;
}
type Product = (call: Call<{ a: Info; b: Info }, Attrs>) => Info;

export function registerMatMul(): void {
  const plain = tf.getKernel("BatchMatMul", "wasm")!.kernelFunc as unknown as Product;
  register<{ a: Info; b: Info }, Attrs>("BatchMatMul", ({ inputs: { a, b }, attrs, backend }) => {
    const { transposeA, transposeB } = attrs;
    const product = (left: Info, right: Info): Info =>
      plain({
        inputs: { a: left, b: right },
        attrs: { transposeA: false, transposeB: false },
        backend,
      });
    if (!transposeA && !transposeB) return product(a, b);
    if (!transposeB) return using(backend, transpose(backend, a), (at) => product(at, b));
    const single = a.shape.length === 2 && b.shape.length === 2;
    // A B' = (B A')': the transposed copies are then of A and of the product, which is less to move
    // where B is the weights of a wide dense layer.
    const rows = a.shape[transposeA ? 1 : 0];
    const columns = b.shape[0];
    if (single && (transposeA || rows * (a.shape[1] + columns) < columns * b.shape[1])) {
      const flipped = transposeA
        ? product(b, a)
        : using(backend, transpose(backend, a), (at) => product(b, at));
      return using(backend, flipped, (r) => transpose(backend, r));
    }
    return using(backend, transpose(backend, b), (bt) =>
      transposeA ? using(backend, transpose(backend, a), (at) => product(at, bt)) : product(a, bt),
    );
  });
}

/** Exchanges the last two axes. */
function transpose(backend: Backend, x: Info): Info {
  const rank = x.shape.length;
  const outer = x.shape.slice(0, -2).reduce((n, d) => n * d, 1);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const flat = as(x, [outer, rows, columns]);
  const y = run(backend, "Transpose", { x: flat }, { perm: [0, 2, 1] });
  return as(y, [...x.shape.slice(0, rank - 2), columns, rows]);
}

function using(backend: Backend, x: Info, f: (x: Info) => Info): Info {
  const y = f(x);
  dispose(backend, x);
  return y;
}
