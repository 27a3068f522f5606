import type * as tf from "@tensorflow/tfjs";

/**
 * A model's weights (batch-norm statistics included) by name, layer/weight as in "conv1/kernel", each as the tf.Variable
 * that holds it: read or assign it, never dispose it. The names are those of checkpoints; they come layer by layer, and a
 * layer that is used several times comes once.
 */
export function namedWeights(model: tf.LayersModel): Map<string, tf.Variable> {
  const weights = new Map<string, tf.Variable>();
  // Not model.weights, whose order changes when a layer is frozen.
  const all = new Set([...leavesOf(model)].flatMap((layer) => layer.weights));
  for (const weight of all) {
    // originalName lacks the suffix that makes names unique within a process, so it is the same from run to run;
    // nested models may repeat it.
    let name = weight.originalName;
    for (let n = 2; weights.has(name); n++) name = `${weight.originalName}_${n}`;
    weights.set(name, weight.read() as tf.Variable);
  }
  return weights;
}

/** The layers of a model and of the models in it. */
function* leavesOf({ layers }: Pick<tf.LayersModel, "layers">): Generator<tf.layers.Layer> {
  for (const layer of layers)
    if ("layers" in layer) yield* leavesOf(layer as tf.LayersModel);
    else yield layer;
}
