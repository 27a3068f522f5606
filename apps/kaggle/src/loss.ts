import type { QuestionTree } from "@gz/galaxies";
import type { Tensors } from "@gz/train";
import * as tf from "@tensorflow/tfjs";

/** A loss for trainLoop that also keeps the batch's mean squared error, which is what the competition scores. */
export interface TrainingLoss {
  lossFn(labels: Tensors, outputs: Tensors): tf.Tensor;
  /** Mean squared error of the latest batch; reading it waits for the device. */
  squaredError(): Promise<number>;
  dispose(): void;
}

export function trainingLoss(
  kind: "squared-error" | "cross-entropy",
  tree: QuestionTree,
): TrainingLoss {
  const crossEntropy = kind === "cross-entropy" ? treeCrossEntropy(tree) : undefined;
  let latest: tf.Scalar | undefined;
  return {
    lossFn(labels, outputs) {
      const [ys, predictions] = [labels as tf.Tensor2D, outputs as tf.Tensor2D];
      const error = tf.losses.meanSquaredError(ys, predictions) as tf.Scalar;
      latest?.dispose();
      latest = tf.keep(error.clone());
      return crossEntropy ? crossEntropy.lossFn(ys, predictions) : error;
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
 * softmax is sure and wrong. Every question hangs from at most one answer.
 */
function treeCrossEntropy(tree: QuestionTree): {
  lossFn(labels: tf.Tensor2D, outputs: tf.Tensor2D): tf.Tensor;
  dispose(): void;
} {
  const columns = tree.flatMap(({ answers }) => answers);
  // log y_k counts t_k, less the labels of the questions that hang from k: those divide by y_k.
  const coefficients = columns.map((_, j) => columns.map((_, k) => (j === k ? 1 : 0)));
  for (const { answers, parents = [] } of tree)
    for (const parent of parents)
      for (const answer of answers)
        coefficients[columns.indexOf(answer)]![columns.indexOf(parent)]! -= 1;
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
