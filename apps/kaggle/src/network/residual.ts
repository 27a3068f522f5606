/** The residual network: stem, stages of two-convolution blocks (He et al. 2015), global mean. */
import { averageViews, batchNorm, flattenViews, squareSymmetries } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import type { ResidualNetwork } from "../recipe/recipe.ts";
import { type Apply, convolution } from "./graph.ts";

/** Views [B, V, S, S, 3] of any number and size to features [B, F], their mean; shortcuts average before they stride. */
export function residual(
  network: ResidualNetwork,
  views: tf.SymbolicTensor,
  apply: Apply,
): tf.SymbolicTensor {
  const relu = (name: string) => tf.layers.activation({ name, activation: "relu" });
  /** Convolution without bias, then batch normalisation. */
  const convNorm = (
    name: string,
    x: tf.SymbolicTensor,
    filters: number,
    kernelSize: number,
    strides: number,
    scale: "ones" | "zeros" = "ones",
  ) => {
    const options = { name, filters, kernelSize, strides, padding: "same" as const };
    return apply(
      batchNorm({ name: `${name}_norm`, gammaInitializer: tf.initializers[scale]() }),
      apply(convolution(options, name === "stem"), x, { std: "he", bias: 0 }),
    );
  };
  let x = apply(flattenViews({ name: "each_view" }), views);
  if (network.symmetries) x = apply(squareSymmetries({ name: "each_symmetry" }), x);
  const { stem } = network;
  x = apply(relu("stem_relu"), convNorm("stem", x, stem.filters, stem.size, stem.stride));
  let filtersIn = stem.filters;
  network.stages.forEach(({ filters, blocks, stride }, stage) => {
    for (let block = 0; block < blocks; block++) {
      const name = `stage${stage + 1}_block${block + 1}`;
      const step = block === 0 ? stride : 1;
      let shortcut = x;
      if (step !== 1)
        shortcut = apply(
          tf.layers.averagePooling2d({ name: `${name}_pool`, poolSize: 2, padding: "same" }),
          shortcut,
        );
      if (step !== 1 || filters !== filtersIn)
        shortcut = convNorm(`${name}_shortcut`, shortcut, filters, 1, 1);
      const inner = apply(relu(`${name}_relu1`), convNorm(`${name}_conv1`, x, filters, 3, step));
      // The last scale starts at 0: every block begins as the identity (Goyal et al. 2017).
      const outer = convNorm(`${name}_conv2`, inner, filters, 3, 1, "zeros");
      const sum = apply(tf.layers.add({ name: `${name}_add` }), [shortcut, outer]);
      x = apply(relu(`${name}_relu2`), sum);
      filtersIn = filters;
    }
  });
  x = apply(tf.layers.globalAveragePooling2d({ name: "mean" }), x);
  return apply(averageViews({ name: "mean_view" }), [x, views]);
}
