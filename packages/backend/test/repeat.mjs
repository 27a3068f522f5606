// node repeat.mjs: twelve steps of convolution, batch normalisation, max pooling and dense layers on native TensorFlow with
// two threads, big enough that both work; prints the last loss and the SHA-256 of the weights. Run twice by the tests.
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../dist/index.js";

await useBackend({ prefer: "tensorflow", threads: 2 });
const run = (name, inputs, attrs) => tf.engine().runKernel(name, inputs, attrs);
const attrs = { epsilon: 1e-5, momentum: 0.9 };
const batchNorm = tf.customGrad((x, scale, offset, save) => {
  const moving = { movingMean: tf.zerosLike(scale), movingVariance: tf.onesLike(scale) };
  const [y, , , saved1, saved2] = run("GzBatchNorm", { x, scale, offset, ...moving }, attrs);
  save([x, scale, saved1, saved2]);
  const gradFunc = (dy, [x, scale, saved1, saved2]) =>
    run("GzBatchNormGrad", { dy, x, scale, saved1, saved2 }, attrs);
  return { value: y, gradFunc };
});

let seed = 1;
const weight = (shape, std) => tf.variable(tf.randomNormal(shape, 0, std, "float32", seed++));
const w = {
  conv1: weight([5, 5, 3, 32], 0.1),
  scale1: weight([32], 1),
  offset1: weight([32], 0.1),
  conv2: weight([3, 3, 32, 64], 0.06),
  scale2: weight([64], 1),
  offset2: weight([64], 0.1),
  dense1: weight([4096, 256], 0.02),
  bias1: weight([256], 0.1),
  dense2: weight([256, 37], 0.06),
};
const variables = Object.values(w);
const velocities = variables.map((variable) => tf.variable(tf.zerosLike(variable)));
const x = tf.randomNormal([32, 32, 32, 3], 0, 1, "float32", 100);
const y = tf.randomUniform([32, 37], 0, 1, "float32", 101);

const loss = () => {
  let h = tf.conv2d(x, w.conv1, 1, "same");
  h = tf.maxPool(tf.relu(batchNorm(h, w.scale1, w.offset1)), 2, 2, "valid");
  h = tf.conv2d(h, w.conv2, 1, "same");
  h = tf.maxPool(tf.relu(batchNorm(h, w.scale2, w.offset2)), 2, 2, "valid");
  h = tf.relu(tf.add(tf.matMul(tf.reshape(h, [32, 4096]), w.dense1), w.bias1));
  return tf.losses.meanSquaredError(y, tf.sigmoid(tf.matMul(h, w.dense2)));
};
let last = 0;
for (let step = 0; step < 12; step++)
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(loss, variables);
    last = value.dataSync()[0];
    variables.forEach((variable, i) => {
      const inputs = { variable, velocity: velocities[i], gradient: grads[variable.name] };
      run("GzNesterov", inputs, { learningRate: 0.01, momentum: 0.9 });
    });
  });
const hash = createHash("sha256");
for (const variable of variables) hash.update(variable.dataSync());
console.log(JSON.stringify({ loss: last, weights: hash.digest("hex") }));
