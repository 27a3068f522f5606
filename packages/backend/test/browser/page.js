// Three training steps in the page; the test reads the outcome from the title.
import { useWasm } from "@gz/backend/wasm";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

setWasmPaths("/wasm/");
try {
  const used = await useWasm({ threads: 2 });
  const layers = [
    tf.layers.conv2d({
      inputShape: [8, 8, 3],
      filters: 24, // enough for the kernels' own threads
      kernelSize: 3,
      activation: "relu",
      kernelInitializer: tf.initializers.heNormal({ seed: 1 }),
    }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 5, kernelInitializer: tf.initializers.heNormal({ seed: 2 }) }),
  ];
  const model = tf.sequential({ layers });
  const xs = tf.randomNormal([64, 8, 8, 3], 0, 1, "float32", 3);
  const ys = tf.randomNormal([64, 5], 0, 1, "float32", 4);
  const optimizer = tf.train.sgd(0.005);
  const losses = [];
  for (let step = 0; step < 3; step++) {
    const loss = optimizer.minimize(() => tf.losses.meanSquaredError(ys, model.apply(xs)), true);
    losses.push((await loss.data())[0]);
  }
  document.title = JSON.stringify({ ...used, losses, processors: navigator.hardwareConcurrency });
} catch (error) {
  document.title = JSON.stringify({ error: String(error) });
}
