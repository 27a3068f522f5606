import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  backgroundLoader,
  loadCheckpoint,
  nesterov,
  saveCheckpoint,
  trainLoop,
  trainStep,
} from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { alone, compare, interleave, timed } from "../lib/measure.mjs";

/** The winner's best network has 42,377,125. */
const WEIGHTS = 42e6;

/** The figures of @gz/train's README, on tfjs's cpu backend. */
export default async function train({ quick, row }) {
  await tf.setBackend("cpu");
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  const rounds = quick ? 3 : 9;
  try {
    const path = await checkpoints(folder, rounds, row);
    await alone({ "load it": () => loadCheckpoint(path) }, { rounds, times: 1 }, row);
    await loader(folder, rounds, row);
    await loop(rounds, row);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Of a layer without inputs that matter: its weights and their velocity. Returns where the last one lies. */
async function checkpoints(folder, rounds, row) {
  const columns = 1000;
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: columns,
        inputShape: [WEIGHTS / columns - 1],
        kernelInitializer: "ones",
      }),
    ],
  });
  const optimizer = nesterov();
  const variables = model.trainableWeights.map((weight) => weight.read());
  optimizer.apply(variables, variables, 0.1);
  let path;
  const save = async () => {
    path = await saveCheckpoint(folder, { step: 1, model, optimizer });
  };
  await alone({ "save a checkpoint of 336 MB": save }, { rounds, times: 1 }, row);
  optimizer.dispose();
  model.dispose();
  return path;
}

/** One worker that does next to nothing, for as many batches as it takes to forget its start. */
async function loader(folder, rounds, row) {
  const file = join(folder, "worker.mjs");
  await writeFile(file, "export default ({ step, xs }) => { xs[0] = step; };\n");
  const batches = backgroundLoader({ worker: pathToFileURL(file), batch: { xs: [16] } });
  const iterator = batches[Symbol.asyncIterator]();
  const thousand = async () => {
    for (let i = 0; i < 1000; i++) await iterator.next();
  };
  const { ms } = await interleave({ ms: timed(thousand) }, { rounds, times: 1 });
  row(compare("backgroundLoader, a batch", ms, "", undefined, { scale: 1e-3 }));
  await batches.close();
}

/** A step of a network so small that what surrounds it shows. */
async function loop(rounds, row) {
  const layers = [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: "zeros" })];
  const model = tf.sequential({ layers });
  const optimizer = nesterov();
  const lossFn = tf.losses.meanSquaredError;
  const batch = { xs: tf.ones([1, 1]), ys: tf.ones([1, 1]) };
  const plain = { data: Float32Array.of(1), shape: [1, 1] };
  const steps = trainLoop(model, endlessly({ xs: plain, ys: plain }), {
    optimizer,
    schedule: () => 0.1,
    lossFn,
    steps: Number.MAX_SAFE_INTEGER,
  });
  const byHand = async () => {
    const { loss } = trainStep(model, optimizer, batch, { lossFn, learningRate: 0.1 });
    await loss.data();
    loss.dispose();
  };
  const sides = { ours: timed(() => steps.next()), theirs: timed(byHand) };
  const { ours, theirs } = await interleave(sides, { rounds, times: 200 });
  row(compare("trainLoop, a step of 1 weight", ours, "trainStep by hand", theirs));
  await steps.return();
}

function* endlessly(batch) {
  while (true) yield batch;
}
