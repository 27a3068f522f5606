/**
 * A recipe's network as a tfjs LayersModel: views [B, V, S, S, 3] in 0..1 to vote fractions [B, 37].
 * `parts` is the winner's (16 parts of 4 views through one convnet, maxout dense layers), `residual` one of today's.
 * Weights start at zero here; initialize() draws them, so that a model that is about to be loaded costs no draws.
 */
import { createRng } from "@gz/augment";
import { KAGGLE_TREE, PROPER_TREE, type QuestionTree } from "@gz/galaxies";
import {
  batchNorm,
  dropout,
  maxout,
  mergeParts,
  splitParts,
  treeOutput,
  untiedBias,
} from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "./errors.ts";
import type { PartsNetwork, Recipe, ResidualNetwork } from "./recipe.ts";

/** How a layer's weights start: normal with this standard deviation, and a constant bias. */
interface Start {
  std: number | "he";
  bias: number | "mean-label";
}

export interface Network {
  model: tf.LayersModel;
  /** By layer name: the layers whose weights are drawn. */
  starts: ReadonlyMap<string, Start>;
}

/** Builds the network on the current backend; throws a CliError that names the layer that does not fit. */
export function buildNetwork(recipe: Recipe, seed: number): Network {
  const { size, angles, scale, offset } = recipe.input;
  const starts = new Map<string, Start>();
  const input = tf.input({ shape: [angles.length, size, size, 3], name: "views" });
  let at = "input";
  const apply: Apply = (layer, value) => {
    at = layer.name;
    return layer.apply(value) as tf.SymbolicTensor;
  };
  try {
    let x: tf.SymbolicTensor = input;
    if (scale !== 1 || offset !== 0)
      x = apply(tf.layers.rescaling({ name: "rescale", scale, offset }), x);
    const network = recipe.network;
    x =
      network.kind === "parts"
        ? parts(network, x, angles.length, seed, starts, apply)
        : residual(network, x, recipe, starts, apply);
    if (network.head.dropout > 0)
      x = apply(
        dropout({ name: "head_dropout", rate: network.head.dropout, seed: seed * 100 + 99 }),
        x,
      );
    const tree = treeOf(recipe);
    x = apply(
      tf.layers.dense({
        name: "head",
        units: tree.flatMap((q) => q.answers).length,
        kernelInitializer: "zeros",
      }),
      x,
    );
    starts.set("head", { std: network.head.std, bias: network.head.bias });
    x = apply(treeOutput({ name: "tree", tree, normalize: recipe.output.normalize }), x);
    return { model: tf.model({ inputs: input, outputs: x, name: recipe.name }), starts };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(
      `recipe ${recipe.name}: the network cannot be built at layer ${at}: ${(error as Error).message}`,
    );
  }
}

/** The recipe's question tree. */
export function treeOf(recipe: Recipe): QuestionTree {
  return recipe.output.tree === "kaggle" ? KAGGLE_TREE : PROPER_TREE;
}

type Apply = (layer: tf.layers.Layer, value: tf.SymbolicTensor) => tf.SymbolicTensor;

/** method: views -> parts on the batch axis -> convolutions with a bias for each position -> merged -> maxout. */
function parts(
  network: PartsNetwork,
  views: tf.SymbolicTensor,
  viewCount: number,
  seed: number,
  starts: Map<string, Start>,
  apply: Apply,
): tf.SymbolicTensor {
  const mirror = true;
  let x = apply(splitParts({ name: "parts", partSize: network.partSize, mirror }), views);
  network.conv.forEach(({ filters, size, pool, std, bias }, i) => {
    const name = `conv${i + 1}`;
    x = apply(
      tf.layers.conv2d({
        name,
        filters,
        kernelSize: size,
        useBias: false,
        kernelInitializer: "zeros",
      }),
      x,
    );
    const [, height, width] = x.shape;
    if ((height ?? 0) < 1 || (width ?? 0) < 1)
      throw new CliError(
        `recipe: expected an input of at least ${size} x ${size} for layer ${name} but nothing is left of it (${x.shape.slice(1).join(" x ")})`,
      );
    x = apply(untiedBias({ name: `${name}_bias` }), x);
    starts.set(name, { std, bias: 0 });
    starts.set(`${name}_bias`, { std: 0, bias });
    x = apply(tf.layers.activation({ name: `${name}_relu`, activation: "relu" }), x);
    if (pool)
      x = apply(tf.layers.maxPooling2d({ name: `pool${i + 1}`, poolSize: 2, padding: "same" }), x);
  });
  x = apply(tf.layers.flatten({ name: "features" }), x);
  x = apply(mergeParts({ name: "merge", parts: viewCount * (mirror ? 8 : 4) }), x);
  network.dense.forEach(({ units, pieces, dropout: rate, std, bias }, i) => {
    const name = `dense${i + 1}`;
    if (rate > 0) x = apply(dropout({ name: `${name}_dropout`, rate, seed: seed * 100 + i }), x);
    x = apply(tf.layers.dense({ name, units: units * pieces, kernelInitializer: "zeros" }), x);
    starts.set(name, { std, bias });
    x =
      pieces > 1
        ? apply(maxout({ name: `${name}_maxout`, pieces }), x)
        : apply(tf.layers.activation({ name: `${name}_relu`, activation: "relu" }), x);
  });
  return x;
}

/** Stem, stages of two-convolution blocks (He et al. 2015; shortcuts average before they stride), global mean. */
function residual(
  network: ResidualNetwork,
  views: tf.SymbolicTensor,
  { input }: Recipe,
  starts: Map<string, Start>,
  apply: Apply,
): tf.SymbolicTensor {
  if (input.angles.length !== 1)
    throw new CliError(
      `recipe: expected one angle in input.angles for a residual network but got ${input.angles.length}`,
    );
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
    const convolution = {
      name,
      filters,
      kernelSize,
      strides,
      padding: "same" as const,
      useBias: false,
      kernelInitializer: "zeros" as const,
    };
    starts.set(name, { std: "he", bias: 0 });
    return apply(
      batchNorm({ name: `${name}_norm`, gammaInitializer: tf.initializers[scale]() }),
      apply(tf.layers.conv2d(convolution), x),
    );
  };
  let x = apply(
    tf.layers.reshape({ name: "view", targetShape: [input.size, input.size, 3] }),
    views,
  );
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
      const sum = tf.layers
        .add({ name: `${name}_add` })
        .apply([shortcut, outer]) as tf.SymbolicTensor;
      x = apply(relu(`${name}_relu2`), sum);
      filtersIn = filters;
    }
  });
  return apply(tf.layers.globalAveragePooling2d({ name: "mean" }), x);
}

/**
 * Draws the initial weights: the same numbers for the same (seed, layer), on every backend.
 * @param meanLabel mean training label, for heads whose bias is "mean-label".
 */
export function initialize(
  { model, starts }: Network,
  recipe: Recipe,
  seed: number,
  meanLabel: Float32Array,
): void {
  model.layers.forEach((layer, index) => {
    const start = starts.get(layer.name);
    if (!start) return;
    const values = layer.getWeights().map((weight) => {
      const isBias = start.std === 0 || weight.rank === 1;
      const data = isBias
        ? biasValues(start.bias, weight.size, recipe, meanLabel)
        : kernelValues(start.std, weight.shape, seed, index);
      return tf.tensor(data, weight.shape);
    });
    layer.setWeights(values);
    tf.dispose(values);
  });
}

function kernelValues(
  std: number | "he",
  shape: number[],
  seed: number,
  layer: number,
): Float32Array {
  const size = tf.util.sizeFromShape(shape);
  const fanIn = size / (shape.at(-1) ?? 1);
  const data = new Float32Array(size);
  const sigma = std === "he" ? Math.sqrt(2 / fanIn) : std;
  const rng = createRng(seed, 0x1417, layer);
  for (let i = 0; i < size; i++) data[i] = rng.normal(0, sigma);
  return data;
}

/** The bias under which a head without input answers every question as the mean galaxy does. */
function biasValues(
  bias: number | "mean-label",
  size: number,
  recipe: Recipe,
  meanLabel: Float32Array,
): Float32Array {
  if (bias !== "mean-label") return new Float32Array(size).fill(bias);
  const data = new Float32Array(size);
  let column = 0;
  for (const { answers } of treeOf(recipe)) {
    const votes = meanLabel.subarray(column, column + answers.length);
    const sum = votes.reduce((a, b) => a + b, 0);
    for (let i = 0; i < answers.length; i++) {
      const share = Math.max((votes[i] ?? 0) / sum, 1e-4);
      data[column + i] = recipe.output.normalize === "softmax" ? Math.log(share) : share;
    }
    column += answers.length;
  }
  return data;
}
