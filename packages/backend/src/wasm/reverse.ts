// tf.reverse, which tfjs computes element by element from coordinates.
import * as tf from "@tensorflow/tfjs";
import { address, empty, type Info, register, replaced, simd } from "./heap.ts";

/** Neighbouring axes that go the same way, as one. */
interface Run {
  size: number;
  reversed: boolean;
}

/**
 * Copies runs of elements in reversed order: float32 tensors of at most four such runs of axes (three where the last is
 * reversed), which is any of up to three axes and most of four; others are tfjs's.
 */
export function registerReverse(): void {
  const general = replaced("Reverse");
  register<{ x: Info }, { dims: number | number[] }>("Reverse", (call) => {
    const { inputs, attrs, backend } = call;
    const { shape, dtype } = inputs.x;
    const runs = runsOf(shape, tf.util.parseAxisParam(attrs.dims, shape));
    const channels = runs.at(-1)?.reversed === false ? runs.pop()!.size : 1;
    if (dtype !== "float32" || runs.length > 3) return general(call as never) as Info;
    while (runs.length < 3) runs.unshift({ size: 1, reversed: false });

    const sizes = runs.map(({ size }) => size);
    const strides = [sizes[1] * sizes[2], sizes[2], 1].map((pixels) => 4 * channels * pixels);
    const steps = runs.map(({ reversed }, i) => (reversed ? -strides[i] : strides[i]));
    const last = runs.map(({ size, reversed }, i) => (reversed ? (size - 1) * strides[i] : 0));
    const result = empty(backend, shape);
    const from = address(backend, inputs.x) + last[0] + last[1] + last[2];
    const to = address(backend, result);
    simd(backend).copyPixels(to, from, ...sizes, ...strides, ...steps, channels);
    return result;
  });
}

function runsOf(shape: readonly number[], axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const reversed = axes.includes(axis);
    const before = runs.at(-1);
    if (before?.reversed === reversed) before.size *= size;
    else runs.push({ size, reversed });
  });
  return runs;
}
