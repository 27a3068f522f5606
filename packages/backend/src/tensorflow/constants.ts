import type { NodeBackend } from "./node-backend.ts";

/** Far more than one training step needs. */
const KEPT = 256;

/** Native tensors by what they hold, the ones that were not asked for the longest first. */
const kept = new Map<number | string, number>();

/**
 * The native number of a float32 scalar. TensorFlow's fused updates take their rates and decays as tensors: one is made
 * for each value and serves all weights, and all steps for as long as it is among the last `KEPT` that were asked for.
 */
export function scalar(backend: NodeBackend, value: number): number {
  const { binding } = backend;
  return constant(backend, value, () =>
    binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value)),
  );
}

/** The native number of a shape as an int32 tensor, which TensorFlow's Reshape takes; kept in the same way. */
export function shapeTensor(backend: NodeBackend, shape: readonly number[]): number {
  const { binding } = backend;
  return constant(backend, shape.join(), () =>
    binding.createTensor([shape.length], binding.TF_INT32, Int32Array.from(shape)),
  );
}

function constant({ binding }: NodeBackend, key: number | string, create: () => number): number {
  const id = kept.get(key) ?? create();
  kept.delete(key);
  kept.set(key, id);
  if (kept.size > KEPT) {
    const [oldest, unused] = kept.entries().next().value!;
    kept.delete(oldest);
    binding.deleteTensor(unused);
  }
  return id;
}
