/**
 * A recipe's network as a tfjs LayersModel: views [B, V, S, S, 3] in 0..1 to vote fractions [B, columns].
 * `parts` is the winner's (16 parts of 4 views through one convnet, maxout dense layers), `residual` one of today's.
 * Weights start at zero here; initialize() draws them, so that a model that is about to be loaded costs no draws.
 */
import { dropout, localContrast, polarCoordinates, treeOutput } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { treeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { Apply, Start } from "./graph.ts";
import { parts } from "./parts.ts";
import { residual } from "./residual.ts";

export interface Network {
  model: tf.LayersModel;
  /** By layer name: the layers whose weights are drawn. */
  starts: ReadonlyMap<string, Start>;
}

/** Builds the network on the current backend; throws a CliError that names the layer that does not fit. */
export function buildNetwork(recipe: Recipe, seed: number): Network {
  const { angles, contrast, polar, scale, offset } = recipe.input;
  const starts = new Map<string, Start>();
  // A residual network ends in global means: it takes any number of views of any size.
  const parted = recipe.network.kind === "parts";
  const size = parted ? recipe.input.size : null;
  const input = tf.input({ shape: [parted ? angles.length : null, size, size, 3], name: "views" });
  let at = "views"; // the layer that is being built
  const apply: Apply = (layer, value, start) => {
    at = `${layer.name} (on ${show(value)})`;
    if (start) starts.set(layer.name, start);
    const output = layer.apply(value) as tf.SymbolicTensor;
    // tfjs gives a convolution that is larger than its input a negative size, and goes on.
    if (output.shape.some((size) => size !== null && size < 1))
      throw new RangeError(`nothing is left of it (${show(output)})`);
    return output;
  };
  try {
    let x: tf.SymbolicTensor = input;
    if (contrast) x = apply(localContrast({ name: "contrast", ...contrast }), x);
    if (polar) x = apply(polarCoordinates({ name: "polar", ...polar }), x);
    if (scale !== 1 || offset !== 0)
      x = apply(tf.layers.rescaling({ name: "rescale", scale, offset }), x);
    const network = recipe.network;
    x = network.kind === "parts" ? parts(network, x, seed, apply) : residual(network, x, apply);
    const { head } = network;
    if (head.dropout > 0)
      x = apply(dropout({ name: "head_dropout", rate: head.dropout, seed: seed * 100 + 99 }), x);
    const tree = treeOf(recipe);
    const units = tree.flatMap((question) => question.answers).length;
    x = apply(tf.layers.dense({ name: "head", units, kernelInitializer: "zeros" }), x, head);
    x = apply(treeOutput({ name: "tree", tree, normalize: recipe.output.normalize }), x);
    return { model: tf.model({ inputs: input, outputs: x, name: recipe.name }), starts };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(
      `recipe ${recipe.name}: the network cannot be built at layer ${at}: ${(error as Error).message}`,
    );
  }
}

/** A shape without its batch axis, as in "45 x 45 x 3". */
function show(value: tf.SymbolicTensor | tf.SymbolicTensor[]): string {
  const [first] = Array.isArray(value) ? value : [value];
  return first!.shape.slice(1).join(" x ");
}
