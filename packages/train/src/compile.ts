import * as tf from "@tensorflow/tfjs";

/** From tensors to tensors, by tf operations. */
export type Work = (given: readonly tf.Tensor[]) => tf.Tensor[];

/** Work that may have become graphs. */
export interface Compiled {
  /** What the work returns. */
  run: Work;
  /** Gives the graphs back; a later run makes them anew. */
  dispose(): void;
}

/**
 * Work as graphs of the backend, which take some 0.7 of the time: on TensorFlow of @gz/backend on a CPU; on
 * other backends it stays what it is. There is a graph for each list of shapes that `run` is given, made from one call
 * of the work when it comes for the first time. It reads tf.Variables and what it is given anew at each run, and the
 * dropout of @gz/layers draws its masks; all other tensors, and any number that JavaScript computes, stay what they were
 * in that one call, the masks of tf.layers.dropout among them. Variables that the work assigns to are assigned. The
 * results are those of the single operations to rounding, and the same to the last bit at each run.
 */
export function compile(work: Work): Compiled {
  const kernel = tf.getKernel("GzCompile", tf.getBackend());
  if (!kernel) return { run: work, dispose() {} };
  const call = { inputs: {}, attrs: { work } as never, backend: tf.backend() };
  return kernel.kernelFunc(call) as unknown as Compiled;
}
