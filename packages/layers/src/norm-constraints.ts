// Limits on the norm of each unit's incoming weights, applied when the caller says so.
import * as tf from "@tensorflow/tfjs";
import { allLayers, type Model, show } from "./_layer.ts";

/** From weights [..., units] to weights of the same shape that obey it. */
export type Constraint = (weights: tf.Tensor) => tf.Tensor;

/** Options of `rmsNorm` and `l2Norm`. */
export interface NormConstraintOptions {
  /** The largest norm allowed, > 0. */
  max: number;
}

/** w * min(1, max / n), n the root of the squares' sum or mean over all axes but the last. */
function limit(where: string, reduce: typeof tf.sum, options: NormConstraintOptions): Constraint {
  const max = options?.max;
  if (!(max > 0 && max < Infinity))
    throw new RangeError(`${where}: expected a positive number for max but got ${max}`);
  return (weights) =>
    tf.tidy(() => {
      const axes = Array.from({ length: weights.rank - 1 }, (_, axis) => axis);
      const norm = tf.sqrt(reduce(tf.square(weights), axes));
      // A unit without weights gives max / 0 = Infinity, hence 1.
      return tf.mul(weights, tf.minimum(1, tf.div(max, norm)));
    });
}

/**
 * Limits the root mean square of each unit's weights (all axes but the last): w * min(1, max / n), n = sqrt(mean(w^2)). The form of the
 * winner's norm-constrained model, with max 0.4 and 0.23 on its two hidden dense layers after every 10th step.
 * @throws RangeError when `max` is not positive.
 */
export function rmsNorm(options: NormConstraintOptions): Constraint {
  return limit("rmsNorm", tf.mean, options);
}

/**
 * Limits the Euclidean norm of each unit's weights (all axes but the last, so that a convolution's filter counts as one): w * min(1, max / n),
 * n = sqrt(sum(w^2)) (Srivastava et al. 2014).
 * @throws RangeError when `max` is not positive.
 */
export function l2Norm(options: NormConstraintOptions): Constraint {
  return limit("l2Norm", tf.sum, options);
}

/**
 * Applies constraints in place to the kernels (weights of at least two axes, not the biases) of the layers named: call it after a training
 * step, or after every k-th. It does not use tfjs's `kernelConstraint`, which is never applied in training but whenever weights are loaded,
 * so that a model saved and loaded would not be the same. Layers of nested models that share a name are all limited; frozen ones too.
 * @throws Error when the model has no layer of a name, that layer has no kernel, or one whose last axis is not its units (depthwise and
 * transposed convolutions).
 */
export function applyConstraints(
  model: Model,
  constraints: Readonly<Record<string, Constraint>>,
): void {
  const layers = [...new Set(allLayers(model))];
  for (const [name, constraint] of Object.entries(constraints)) {
    const named = layers.filter((layer) => layer.name === name);
    const other = named.find((layer) => OTHER_KERNELS.test(layer.getClassName()));
    if (other)
      throw new Error(
        `applyConstraints: expected a layer with units along its kernel's last axis but got ${show(name)}, a ${other.getClassName()}`,
      );
    const kernels = named.flatMap((layer) => layer.weights.filter(isKernel));
    if (kernels.length === 0)
      throw new Error(
        `applyConstraints: expected the name of a layer with a kernel but got ${show(name)}; the model has ${layers.map((layer) => layer.name).join(", ")}`,
      );
    for (const kernel of new Set(kernels)) {
      const value = kernel.read() as tf.Variable;
      tf.tidy(() => value.assign(constraint(value)));
    }
  }
}

/** Kernels whose last axis is not the layer's units. */
const OTHER_KERNELS = /^(Depthwise|Separable)|Transpose$/;

function isKernel({ shape, originalName }: tf.LayerVariable): boolean {
  return shape.length >= 2 && !/(^|\/)bias$/.test(originalName);
}
