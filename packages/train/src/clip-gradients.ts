import * as tf from "@tensorflow/tfjs";
import { show } from "./_check.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * The optimiser, its gradients scaled down where their norm, over all weights together, is above `norm` (R. Pascanu et
 * al., ICML 2013; PyTorch's clip_grad_norm_): one batch that is far off then moves the weights no further than others.
 * The norm stays on the device. Checkpoints are those of the optimiser itself.
 *
 * Throws a RangeError unless `norm` is above 0.
 */
export function clipGradients(optimizer: Optimizer, norm: number): Optimizer {
  if (!(norm > 0))
    throw new RangeError(`clipGradients: expected a number above 0 for norm but got ${show(norm)}`);
  return {
    ...optimizer,
    apply(variables, gradients, learningRate) {
      const clipped = tf.tidy(() => scaled(gradients, norm) as tf.Tensor[]);
      try {
        optimizer.apply(variables, clipped, learningRate);
      } finally {
        tf.dispose(clipped);
      }
    },
  };
}

function scaled(
  gradients: readonly (tf.Tensor | undefined)[],
  norm: number,
): (tf.Tensor | undefined)[] {
  const squares = gradients.flatMap((gradient) => (gradient ? [tf.sum(tf.square(gradient))] : []));
  if (squares.length === 0) return [...gradients];
  const factor = tf.minimum(tf.div(norm, tf.sqrt(tf.addN(squares))), 1);
  return gradients.map((gradient) => gradient && tf.mul(gradient, factor));
}
