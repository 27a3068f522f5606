import * as tf from "@tensorflow/tfjs";
import { summary } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

/** Does training hold on to anything? Tensors and resident memory, after the first steps and after 500 more. */
export default async function memory({ quick, note, row }) {
  const { line, step } = await openNetwork("tiny", "tensorflow");
  note(line);
  const steps = quick ? 100 : 500;
  const before = await measure(step, 100); // allocators and caches settle in the first steps
  const after = await measure(step, steps);
  row(figure(`tiny: tensors, ${steps} steps later`, after.tensors, before.tensors, "", 1));
  row(figure(`tiny: resident memory, ${steps} steps later`, after.rss, before.rss, "MB", 1.02));
}

async function measure(step, steps) {
  for (let i = 0; i < steps; i++) await step();
  globalThis.gc();
  return { tensors: tf.memory().numTensors, rss: process.memoryUsage().rss / 1e6 };
}

function figure(what, ours, theirs, unit, target) {
  return {
    what,
    unit,
    ours: summary([ours]),
    beside: "before",
    theirs: summary([theirs]),
    ratio: summary([ours / theirs]),
    target,
  };
}
