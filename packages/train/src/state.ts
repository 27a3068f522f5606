import type * as tf from "@tensorflow/tfjs";

/** A tensor outside TensorFlow.js: its values in row-major order, as kept in a checkpoint. */
export interface TensorData {
  dtype: "float32" | "int32";
  shape: number[];
  data: Float32Array | Int32Array;
}

/**
 * What a checkpoint keeps of an optimiser or an average: live tensors (read them, never dispose them) and counters
 * (integers), each under a name that stays the same from run to run.
 */
export type State = Record<string, tf.Tensor | number>;

/** The same, read back from a checkpoint; a counter is an int32 tensor without dimensions. */
export type SavedState = Record<string, TensorData>;
