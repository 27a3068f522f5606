import type * as tf from "@tensorflow/tfjs";

/**
 * A model's weights (batch-norm statistics included) by name, layer/weight as in "conv1/kernel", each as the tf.Variable
 * that holds it: read or assign it, never dispose it. The names are those of checkpoints.
 */
export function namedWeights(model: tf.LayersModel): Map<string, tf.Variable> {
  const weights = new Map<string, tf.Variable>();
  for (const weight of model.weights) {
    // originalName lacks the suffix that makes names unique within a process, so it is the same from run to run;
    // nested models may repeat it.
    let name = weight.originalName;
    for (let n = 2; weights.has(name); n++) name = `${weight.originalName}_${n}`;
    weights.set(name, weight.read() as tf.Variable);
  }
  return weights;
}
