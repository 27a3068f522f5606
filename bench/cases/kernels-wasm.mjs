import { useWasm } from "@gz/backend/wasm"; // brings tfjs's kernels; ours take their place in useWasm
import * as tf from "@tensorflow/tfjs";
import { compare, interleave, THREADS, timed } from "../lib/measure.mjs";

/** `tf.reverse` on WebAssembly beside tfjs's kernel. */
export default async function kernelsWasm({ quick, note, row }) {
  const { kernelFunc } = tf.getKernel("Reverse", "wasm");
  const { device, threads } = await useWasm({ threads: THREADS });
  note(`wasm on ${device}, ${threads} threads`);
  const x = tf.randomUniform([32, 45, 45, 3], 0, 1, "float32", 1);
  const theirs = () => kernelFunc({ inputs: { x }, attrs: { dims: [1] }, backend: tf.backend() });
  const sides = {
    ours: timed(() => tf.reverse(x, 1).dispose()),
    theirs: timed(() => tf.backend().disposeData(theirs().dataId)),
  };
  const blocks = await interleave(sides, { rounds: quick ? 3 : 9, times: 10 });
  row(compare("reverse [32, 45, 45, 3], wasm", blocks.ours, "tfjs's", blocks.theirs));
}
