// Decision-tree output: K linear outputs -> K probabilities, normalised within each question and weighted down the tree.
import * as tf from "@tensorflow/tfjs";
import {
  allLayers,
  type LayerArgs,
  lastAxis,
  type Model,
  oneShape,
  oneTensor,
  onGpu,
  show,
  withGradient,
} from "./_layer.ts";
import { type QuestionTree, type TreeMatrices, treeMatrices } from "./_tree.ts";

/** Keeps a question with no positive output at 0 instead of 0 / 0: the winner's value. */
const EPSILON = 1e-12;

/** Options of `treeOutput`. */
export interface TreeOutputOptions extends LayerArgs {
  /** The questions; the layer before must have one unit per answer, in the tree's order. */
  tree: QuestionTree;
  /** "divisive" (default): max(z, 0) over its sum in the question; "softmax": exp(z) over its sum in the question. */
  normalize?: "divisive" | "softmax";
}

/** "normal": normalised and weighted down the tree; "clip": just clipped to 0..1. */
export type TreeMode = "normal" | "clip";

class TreeOutput extends tf.layers.Layer {
  static className = "GzTreeOutput";
  readonly tree: QuestionTree;
  readonly normalize: "divisive" | "softmax";
  readonly matrices: TreeMatrices;
  mode: TreeMode = "normal";

  constructor(options: TreeOutputOptions) {
    super(options);
    const { tree, normalize = "divisive" } = options ?? {};
    this.matrices = treeMatrices(tree);
    if (normalize !== "divisive" && normalize !== "softmax")
      throw new TypeError(
        `treeOutput: expected "divisive" or "softmax" for normalize but got ${show(normalize)}`,
      );
    this.tree = tree;
    this.normalize = normalize;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("treeOutput", inputShape);
    if (lastAxis("treeOutput", shape) !== this.matrices.columns)
      throw new RangeError(
        `treeOutput: expected ${this.matrices.columns} units, one per answer of the tree, on the last axis but got shape ${show(shape)}`,
      );
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("treeOutput", inputs);
    this.computeOutputShape(x.shape);
    return tf.tidy(() => {
      if (this.mode === "clip") return clip(x);
      const z = tf.reshape(x, [-1, this.matrices.columns]);
      const p = (this.normalize === "divisive" ? divide : softmax)(z, this.matrices);
      return tf.reshape(this.matrices.depth === 0 ? p : weigh(p, this.matrices), x.shape);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    // model.save turns every string of a config to snake case, except under the key "name": the tree travels there as JSON.
    return {
      ...super.getConfig(),
      tree: { name: JSON.stringify(this.tree) },
      normalize: this.normalize,
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    Class: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { name } = config.tree as { name: string };
    return new Class({ ...config, tree: JSON.parse(name) });
  }
}
tf.serialization.registerClass(TreeOutput);

/** sums[n, k] = sum over j of v[n, j] * matrix[j, k], for a constant matrix of zeros and ones. */
function sums(v: tf.Tensor, matrix: Float32Array): tf.Tensor {
  const columns = v.shape[1]!;
  const constant = tf.tensor2d(matrix, [columns, columns]);
  // Rounded to ten bits, every probability would show it.
  if (onGpu()) return tf.sum(tf.mul(tf.expandDims(v, 2), constant), 1);
  return tf.matMul(v, constant);
}

/** clip(z, 0, 1), gradient 0 outside. */
function clip(z: tf.Tensor): tf.Tensor {
  return withGradient(
    [z],
    (save) => {
      const y = tf.clipByValue(z, 0, 1);
      save([z, y]);
      return y;
    },
    (dy, [z, y]) => [tf.mul(dy, tf.cast(tf.equal(z!, y!), "float32"))],
  );
}

/** p = max(z, 0) / (sum of max(z, 0) in the question + EPSILON). */
function divide(z: tf.Tensor, { group }: TreeMatrices): tf.Tensor {
  return withGradient(
    [z],
    (save) => {
      const r = tf.relu(z);
      const total = tf.add(sums(r, group), EPSILON);
      const p = tf.div(r, total);
      save([r, total, p]);
      return p;
    },
    (dp, [r, total, p]) => {
      const centred = tf.sub(dp, sums(tf.mul(dp, p!), group));
      // Masked before the division: where a question is dead the total is EPSILON, and 0 * Infinity would be NaN.
      return [tf.div(tf.mul(centred, tf.cast(tf.greater(r!, 0), "float32")), total!)];
    },
  );
}

/** p = exp(z) / sum of exp(z) in the question. */
function softmax(z: tf.Tensor, { group, question, slots }: TreeMatrices): tf.Tensor {
  return withGradient(
    [z],
    (save) => {
      // Less the largest of each question, not of the row: a question far below the others must not underflow.
      const widest = slots.length / (question.at(-1)! + 1);
      const answers = tf.reshape(tf.gather(z, tf.tensor1d(slots), 1), [z.shape[0]!, -1, widest]);
      const peak = tf.gather(tf.max(answers, 2), tf.tensor1d(question), 1);
      const e = tf.exp(tf.sub(z, peak));
      const p = tf.div(e, sums(e, group));
      save([p]);
      return p;
    },
    (dp, [p]) => [tf.mul(p!, tf.sub(dp, sums(tf.mul(dp, p!), group)))],
  );
}

/**
 * y[k] = p[k] * weight[k], weight = 1 for roots and the sum of the parents' y otherwise. Each round carries weights one question further down
 * and leaves what is already right as it is, so `depth` rounds do. Backwards the same rounds run from children to parents.
 */
function weigh(p: tf.Tensor, { down, up, root, depth }: TreeMatrices): tf.Tensor {
  return withGradient(
    [p],
    (save) => {
      let y = p;
      let weight = p;
      for (let round = 0; round < depth; round++) {
        weight = tf.add(sums(y, down), tf.tensor1d(root));
        y = tf.mul(p, weight);
      }
      save([p, weight]);
      return y;
    },
    (dy, [p, weight]) => {
      let total = dy;
      for (let round = 0; round < depth; round++) total = tf.add(dy, sums(tf.mul(total, p!), up));
      return [tf.mul(total, weight!)];
    },
  );
}

/**
 * Probabilities of a tree of questions from one linear unit per answer, on the last axis (S. Dieleman's output layer, arXiv 1503.07077).
 *
 * Within each question p = max(z, 0) / (sum + 1e-12) ("divisive", the winner's) or softmax; then every question is multiplied by the summed
 * probability of its `parents`, itself already weighted, so that outputs are the joint probabilities that a survey's vote fractions estimate.
 * A question whose outputs are all at most 0 gives zeros (divisive), and a gradient of zero. `setTreeMode` switches to clipping.
 * @throws TypeError for a tree with a duplicate column, an unknown parent, or a parent of the same or a later question; RangeError when the
 * last axis is not one unit per answer.
 */
export function treeOutput(options: TreeOutputOptions): tf.layers.Layer {
  return new TreeOutput(options);
}

/**
 * Sets every treeOutput of a model to "clip" (outputs are z clipped to 0..1, neither normalised nor weighted: the winner's first 625 steps,
 * so that no question dies at the start) or back to "normal". The mode belongs to the training phase and is not saved with the model.
 * @throws TypeError for another mode; Error when the model has no treeOutput layer.
 */
export function setTreeMode(model: Model, mode: TreeMode): void {
  if (mode !== "normal" && mode !== "clip")
    throw new TypeError(`setTreeMode: expected "normal" or "clip" for mode but got ${show(mode)}`);
  let found = 0;
  for (const layer of allLayers(model)) {
    if (!(layer instanceof TreeOutput)) continue;
    layer.mode = mode;
    found++;
  }
  if (found === 0)
    throw new Error("setTreeMode: expected a model with a treeOutput layer but got none");
}
