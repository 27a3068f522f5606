import * as tf from "@tensorflow/tfjs";
import { loadRecipe } from "../../apps/kaggle/dist/recipe/recipe.js";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

/**
 * What a step costs besides computing: the same operations in the same order, on one galaxy, with one filter and one unit a
 * layer. One by one it is an estimate of what a GPU's step costs its host at the least; launching CUDA's kernels is not in
 * it, waiting for the CPU's own is. As a graph, which GPUs do not get yet, it is what is left of it here.
 */
export default async function dispatch({ quick, note, row }) {
  const steps = {};
  for (const name of ["best", "modern"]) {
    const network = narrow(loadRecipe(name).network);
    const { line, training } = await openNetwork(name, "tensorflow", { network, batch: 1 });
    if (name === "best") note(line);
    const step = training(undefined, { compile: false });
    for (let i = 0; i < 20; i++) await step();
    const { kernels } = await tf.profile(step);
    note(`${name}: ${kernels.length} operations a step`);
    steps[name] = { one: timed(step), graph: timed(training()) };
  }
  const repetitions = { rounds: quick ? 3 : 9, times: 50 };
  for (const [name, sides] of Object.entries(steps)) {
    const { one, graph } = await interleave(sides, repetitions);
    const what = `${name}: the host's work for a step`;
    row(compare(`${what}, one by one`, one, "", undefined, name === "best" ? { most: 5 } : {}));
    row(compare(`${what}, as a graph`, graph, "one by one", one));
  }
}

/** The network with layers of the least width. */
function narrow(network) {
  const least = (layer) => ({ ...layer, filters: 1 });
  if (network.kind === "residual")
    return { ...network, stem: least(network.stem), stages: network.stages.map(least) };
  const dense = network.dense.map((layer) => ({ ...layer, units: layer.pieces }));
  return { ...network, conv: network.conv.map(least), dense };
}
