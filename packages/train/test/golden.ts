import * as tf from "@tensorflow/tfjs";
import type { SavedState, State } from "../src/state.ts";

/** The gradient at step t of fixtures/optimizers.py. */
export const gradientAt = (shape: number[], t: number): tf.Tensor =>
  tf.tensor(
    Array.from(
      { length: tf.util.sizeFromShape(shape) },
      (_, i) => Math.sin(1 + 2 * i + 3 * t) / (1 + t),
    ),
    shape,
  );

/** A state as a checkpoint gives it back. */
export const savedCopy = (state: State): SavedState =>
  Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      typeof value === "number"
        ? { dtype: "int32", shape: [], data: Int32Array.of(value) }
        : { dtype: "float32", shape: value.shape, data: value.dataSync<"float32">().slice() },
    ]),
  );
