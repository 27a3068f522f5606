import * as tf from "@tensorflow/tfjs";
import { loadRecipe } from "../../apps/kaggle/dist/recipe/recipe.js";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

/**
 * What a GPU's step costs its host at the least: the same operations in the same order, on one galaxy, with one filter and
 * one unit a layer, so that next to nothing is computed. An estimate: launching a CUDA kernel is not in it, waiting for the
 * CPU's own is.
 */
export default async function dispatch({ quick, note, row }) {
  const steps = {};
  for (const name of ["best", "modern"]) {
    const network = narrow(loadRecipe(name).network);
    const { line, training } = await openNetwork(name, "tensorflow", { network, batch: 1 });
    if (name === "best") note(line);
    const step = training();
    for (let i = 0; i < 20; i++) await step();
    const { kernels } = await tf.profile(step);
    note(`${name}: ${kernels.length} operations a step`);
    steps[name] = timed(step);
  }
  const blocks = await interleave(steps, { rounds: quick ? 3 : 9, times: 50 });
  row(compare("best: the host's work for a step", blocks.best, "", undefined, { most: 5 }));
  row(compare("modern: the host's work for a step", blocks.modern, "", undefined));
}

/** The network with layers of the least width. */
function narrow(network) {
  const least = (layer) => ({ ...layer, filters: 1 });
  if (network.kind === "residual")
    return { ...network, stem: least(network.stem), stages: network.stages.map(least) };
  const dense = network.dense.map((layer) => ({ ...layer, units: layer.pieces }));
  return { ...network, conv: network.conv.map(least), dense };
}
