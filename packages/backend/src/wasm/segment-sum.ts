// The gradient of tf.gather.
import * as tf from "@tensorflow/tfjs";
import { type Call, empty, floats, type Info, register } from "./heap.ts";

/** Registers the sum of rows by segment. */
export function registerSegmentSum(): void {
  register("UnsortedSegmentSum", segmentSum);
}

/** y[s] = sum of x[i] over all i with segmentIds[i] = s. */
function segmentSum({
  inputs,
  attrs,
  backend,
}: Call<{ x: Info; segmentIds: Info }, { numSegments: number }>): Info {
  const rest = inputs.x.shape.slice(inputs.segmentIds.shape.length);
  const result = empty(backend, [attrs.numSegments, ...rest]);
  const y = floats(backend, result).fill(0);
  const x = floats(backend, inputs.x);
  const ids = backend.typedArrayFromHeap(inputs.segmentIds);
  const size = tf.util.sizeFromShape(rest);
  ids.forEach((id, i) => {
    for (let k = 0; k < size; k++) y[id * size + k] += x[i * size + k];
  });
  return result;
}
