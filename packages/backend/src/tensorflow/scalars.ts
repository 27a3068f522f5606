import type { NodeBackend } from "./node-backend.ts";

/** Far more than one step of an optimiser needs. */
const KEPT = 64;

/** Native numbers by value, the ones that were not asked for the longest first. */
const kept = new Map<number, number>();

/**
 * The native number of a float32 scalar. TensorFlow's fused updates take their rates and decays as tensors: one is made
 * for each value and serves all weights, and all steps for as long as it is among the last `KEPT` that were asked for.
 */
export function scalar({ binding }: NodeBackend, value: number): number {
  const known = kept.get(value);
  const id = known ?? binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value));
  kept.delete(value);
  kept.set(value, id);
  if (kept.size > KEPT) {
    const [oldest, unused] = kept.entries().next().value!;
    kept.delete(oldest);
    binding.deleteTensor(unused);
  }
  return id;
}
