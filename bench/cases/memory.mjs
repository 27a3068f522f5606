import * as tf from "@tensorflow/tfjs";
import { summary } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

/** Does training hold on to anything? Tensors and resident memory, after 500 steps and after 500 more. */
export default async function memory({ quick, note, row }) {
  const { line, training } = await openNetwork("tiny", "tensorflow");
  note(line);
  const steps = quick ? 100 : 500;
  const step = training();
  const before = await measure(step, steps); // allocators and caches settle in the first ones
  const after = await measure(step, steps);
  row(figure(`tiny: tensors, ${steps} more steps`, after.tensors, before.tensors, "", 1));
  row(figure(`tiny: resident memory, ${steps} more steps`, after.rss, before.rss, "MB", 1.02));
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
