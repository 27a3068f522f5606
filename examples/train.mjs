// A network whose answers hang from each other, on darts: did it hit the board? And if so, where?
import { maxout, treeOutput } from "@gz/layers";
import { cosineSchedule, nesterov, trainLoop } from "@gz/train";
import * as tf from "@tensorflow/tfjs";

const tree = [
  { name: "board", answers: ["hit", "miss"] },
  { name: "height", answers: ["top", "bottom"], parents: ["hit"] }, // asked of a hit only
];
const answer = ([x, y]) => {
  const hit = Number(Math.hypot(x, y) < 0.8);
  return [hit, 1 - hit, hit * Number(y > 0), hit * Number(y <= 0)];
};
function* batches() {
  for (let seed = 1; ; seed++) {
    const xs = tf.randomUniform([64, 2], -1, 1, "float32", seed);
    yield { xs, ys: tf.tensor2d(xs.arraySync().map(answer)) };
  }
}

const kernel = (seed) => ({ kernelInitializer: tf.initializers.heNormal({ seed }) });
const model = tf.sequential();
model.add(tf.layers.dense({ units: 64, inputShape: [2], ...kernel(1) }));
model.add(maxout({ pieces: 2 }));
model.add(tf.layers.dense({ units: 4, ...kernel(2) }));
model.add(treeOutput({ tree, normalize: "softmax" }));

const loop = trainLoop(model, batches(), {
  optimizer: nesterov({ momentum: 0.9 }),
  schedule: cosineSchedule({ peak: 0.5, warmup: 0.1 }),
  lossFn: tf.losses.meanSquaredError,
  steps: 300,
});
for await (const { step, loss } of loop)
  if (step % 100 === 0) console.log(`step ${step}: RMSE ${Math.sqrt(loss).toFixed(3)}`);
const [hit, , top, bottom] = model.predict(tf.tensor2d([[0.1, 0.5]])).dataSync();
console.log(
  `(0.1, 0.5): hit ${hit.toFixed(2)}, top ${top.toFixed(2)}, bottom ${bottom.toFixed(2)}`,
);
