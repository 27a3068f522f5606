// node train-on.mjs cpu|wasm|webgpu [threads]: two training steps of a small network, then prints the losses and the
// weights' checksum as JSON. The process has to end by itself. Run by the tests on the built package.
import * as tf from "@tensorflow/tfjs";

const [name, threads = "2"] = process.argv.slice(2);
let used = {};
if (name === "webgpu") used = await (await import("../dist/webgpu.js")).useWebgpu();
else if (name === "wasm")
  used = await (await import("../dist/wasm/index.js")).useWasm({ threads: Number(threads) });
else await tf.setBackend(name);

const { conv2d, maxPooling2d, flatten, dense } = tf.layers;
let seed = 1;
const kernelInitializer = () => tf.initializers.heNormal({ seed: seed++ });
const model = tf.sequential({
  layers: [
    conv2d({
      inputShape: [8, 8, 3],
      filters: 16,
      kernelSize: 3,
      padding: "same",
      activation: "relu",
      kernelInitializer: kernelInitializer(),
    }),
    maxPooling2d({ poolSize: 2, strides: 2 }),
    conv2d({ filters: 16, kernelSize: 3, strides: 2, kernelInitializer: kernelInitializer() }),
    flatten(),
    dense({ units: 5, activation: "sigmoid", kernelInitializer: kernelInitializer() }),
  ],
});
const xs = tf.randomNormal([64, 8, 8, 3], 0, 1, "float32", 7);
const ys = tf.randomUniform([64, 5], 0, 1, "float32", 8);
const optimizer = tf.train.momentum(0.1, 0.9, true);
const losses = [];
for (let step = 0; step < 2; step++) {
  const loss = optimizer.minimize(() => tf.losses.meanSquaredError(ys, model.apply(xs)), true);
  losses.push((await loss.data())[0]);
}
let checksum = 0;
for (const weight of model.getWeights())
  for (const bits of new Uint32Array((await weight.data()).slice().buffer))
    checksum = (Math.imul(checksum, 31) + bits) | 0;
console.log(JSON.stringify({ ...used, losses, checksum, worker: typeof globalThis.Worker }));
