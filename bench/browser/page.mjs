// What bench/lib/chromium.mjs runs in a page: a model's training steps on WebAssembly, as the app makes them.
import { useWasm } from "@gz/backend/wasm";
import { setDropoutStep } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { nesterov } from "../../packages/train/dist/nesterov.js";
import { trainStep } from "../../packages/train/dist/train-step.js";

/** Starts the backend and makes the model of a topology; returns what the backend is, and the model's size. */
async function open({ topology, shape, threads }) {
  setWasmPaths("/wasm/");
  const used = await useWasm({ threads });
  const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology: topology }));
  const options = { lossFn: tf.losses.meanSquaredError, learningRate: 1e-3 };
  const optimizer = nesterov();
  const [images, labels] = [shape, [shape[0], 37]].map((dims) => ({
    dims,
    data: tf.tidy(() => tf.randomUniform(dims, 0, 1, "float32", 7).dataSync()),
  }));
  let steps = 0;

  async function step() {
    const [xs, ys] = [images, labels].map(({ data, dims }) => tf.tensor(data, dims));
    setDropoutStep(model, steps++);
    const { loss } = trainStep(model, optimizer, { xs, ys }, options);
    await loss.data();
    tf.dispose([xs, ys, loss]);
  }
  globalThis.gz.step = step;
  return { ...used, parameters: model.countParams() };
}

/** Milliseconds of so many steps. */
async function train(times) {
  const ms = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await globalThis.gz.step();
    ms.push(performance.now() - start);
  }
  return ms;
}

globalThis.gz = { open, train };
