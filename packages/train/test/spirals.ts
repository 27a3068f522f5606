import * as tf from "@tensorflow/tfjs";

export const WORKER = new URL("./fixtures/spiral-worker.mjs", import.meta.url);
export const SHAPES = { xs: [32, 2], ys: [32, 1] };

/** The batch that fixtures/spiral-worker.mjs fills, made on this thread. */
export function spiralBatch(step: number, size = 32) {
  const xs = new Float32Array(2 * size);
  const ys = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const u = (Math.imul(step * size + i + 1, 2654435761) >>> 0) / 2 ** 32;
    const angle = u * 3 * Math.PI;
    const side = i % 2;
    const radius = (angle / (3 * Math.PI)) * (side ? 1 : -1);
    xs[2 * i] = radius * Math.cos(angle);
    xs[2 * i + 1] = radius * Math.sin(angle);
    ys[i] = side;
  }
  return { xs: { data: xs, shape: [size, 2] }, ys: { data: ys, shape: [size, 1] } };
}

export function* spiralBatches(startStep = 0) {
  for (let step = startStep; ; step++) yield spiralBatch(step);
}

/** A small classifier with batch normalisation, so that some of its weights are not trainable. */
export function spiralModel({ named = true, units = 24 } = {}): tf.LayersModel {
  const name = (n: string) => (named ? { name: n } : {});
  const init = (seed: number) => tf.initializers.heNormal({ seed });
  return tf.sequential({
    layers: [
      tf.layers.dense({ ...name("hidden"), units, inputShape: [2], kernelInitializer: init(1) }),
      tf.layers.batchNormalization({ ...name("norm"), momentum: 0.9 }),
      tf.layers.activation({ ...name("relu"), activation: "relu" }),
      tf.layers.dense({
        ...name("hidden2"),
        units,
        activation: "relu",
        kernelInitializer: init(2),
      }),
      tf.layers.dense({
        ...name("out"),
        units: 1,
        activation: "sigmoid",
        kernelInitializer: init(3),
      }),
    ],
  });
}

/** All weights' values, one after the other. */
export const weightsOf = (model: tf.LayersModel): number[] =>
  model.weights.flatMap((weight) => [...weight.read().dataSync()]);
