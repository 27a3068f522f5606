import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { compare, summary } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

const PEAK = fileURLToPath(new URL("../lib/peak-memory.mjs", import.meta.url));
/** MB that training `best` may take at most; 42.4 million weights, their velocities and gradients are 509. */
const MOST = { tensorflow: 1200, wasm: 1400 };

/** Does training hold on to anything? Tensors and resident memory, after 500 steps and after 500 more; and the most that `best` takes. */
export default async function memory({ quick, note, row }) {
  const { line, training } = await openNetwork("tiny", "tensorflow");
  note(line);
  const steps = quick ? 100 : 500;
  const step = training();
  const before = await measure(step, steps); // allocators and caches settle in the first ones
  const after = await measure(step, steps);
  row(figure(`tiny: tensors, ${steps} more steps`, after.tensors, before.tensors, "", 1));
  row(figure(`tiny: resident memory, ${steps} more steps`, after.rss, before.rss, "MB", 1.02));
  for (const [backend, most] of Object.entries(MOST)) {
    const { stdout } = await promisify(execFile)(process.execPath, [PEAK, backend]);
    const peak = Number(stdout.trim().split("\n").at(-1));
    row(compare(`best: most memory, ${backend}`, [peak], "", undefined, { unit: "MB", most }));
  }
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
