import type { QuestionTree } from "@gz/galaxies";
import type { Tensors } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import type { Recipe } from "../recipe/recipe.ts";

/** A loss for trainLoop that also keeps the batch's mean squared error, which is what the competition scores. */
export interface TrainingLoss {
  lossFn(labels: Tensors, outputs: Tensors): tf.Tensor;
  /** How many rows of the next batches, from the first on, have labels; the others' are pseudo-labels. At first all. */
  setLabelled(rows: number): void;
  /** Mean squared error of the latest batch's labelled rows; reading it waits for the device. */
  squaredError(): Promise<number>;
  dispose(): void;
}

type Measure = (labels: tf.Tensor2D, outputs: tf.Tensor2D) => tf.Tensor;

/**
 * Of a recipe's `output`.
 *
 * @param pseudoWeight how much a row with pseudo-labels counts beside one with labels, whose weight is 1
 */
export function trainingLoss(
  { loss = "squared-error", smoothing = 0 }: Pick<Recipe["output"], "loss" | "smoothing">,
  tree: QuestionTree,
  { pseudoWeight = 1 }: { pseudoWeight?: number | undefined } = {},
): TrainingLoss {
  const crossEntropy = loss === "cross-entropy" ? treeCrossEntropy(tree, smoothing) : undefined;
  let latest: tf.Scalar | undefined;
  let labelled = Number.POSITIVE_INFINITY;

  /** The mean over rows with labels. */
  const measured: Measure = (ys, predictions) => {
    const error = tf.losses.meanSquaredError(ys, predictions) as tf.Scalar;
    latest?.dispose();
    latest = tf.keep(error.clone());
    return crossEntropy ? crossEntropy.lossFn(ys, predictions) : error;
  };
  const unmeasured: Measure = crossEntropy?.lossFn ?? tf.losses.meanSquaredError;

  return {
    lossFn(labels, outputs) {
      const [ys, predictions] = [labels as tf.Tensor2D, outputs as tf.Tensor2D];
      const pseudo = ys.shape[0] - labelled;
      if (pseudo <= 0) return measured(ys, predictions);
      const rows = (loss: Measure, from: number, count: number) =>
        loss(tf.slice(ys, [from, 0], [count, -1]), tf.slice(predictions, [from, 0], [count, -1]));
      const share = (pseudoWeight * pseudo) / (labelled + pseudoWeight * pseudo);
      return tf.add(
        tf.mul(rows(measured, 0, labelled), 1 - share),
        tf.mul(rows(unmeasured, labelled, pseudo), share),
      );
    },
    setLabelled(rows) {
      labelled = rows;
    },
    async squaredError() {
      return (await latest!.data())[0]!;
    },
    dispose() {
      latest?.dispose();
      crossEntropy?.dispose();
    },
  };
}

const EPSILON = 1e-6;

/**
 * Cross-entropy of every question's answers, each weighed by how many volunteers came to it: for outputs y and labels t
 * (both cumulative along the tree) -sum over questions q and answers k of t_k log(y_k / y_parent(q)), averaged over the
 * batch. Its minimum is where the squared error's is, at the expected labels, but its gradient does not fade where a
 * softmax is sure and wrong. Every question hangs from at most one answer. Smoothed labels (C. Szegedy et al., CVPR 2016)
 * move the minimum towards answers that are as likely as each other.
 */
function treeCrossEntropy(
  tree: QuestionTree,
  smoothing: number,
): {
  lossFn(labels: tf.Tensor2D, outputs: tf.Tensor2D): tf.Tensor;
  dispose(): void;
} {
  const columns = tree.flatMap(({ answers }) => answers);
  // log y_k counts t_k, less the labels of the questions that hang from k: those divide by y_k.
  const coefficients = columns.map(() => columns.map(() => 0));
  const add = (label: string, output: string, value: number): void => {
    coefficients[columns.indexOf(label)]![columns.indexOf(output)]! += value;
  };
  for (const { answers, parents = [] } of tree)
    for (const label of answers) {
      add(label, label, 1 - smoothing);
      for (const answer of answers) add(label, answer, smoothing / answers.length);
      for (const parent of parents) add(label, parent, -1);
    }
  const matrix = tf.keep(tf.tensor2d(coefficients));
  return {
    lossFn: (labels, outputs) =>
      tf.tidy(() => {
        const weights = tf.matMul(labels, matrix);
        return tf.mean(tf.neg(tf.sum(tf.mul(weights, tf.log(tf.add(outputs, EPSILON))), 1)));
      }),
    dispose: () => matrix.dispose(),
  };
}
