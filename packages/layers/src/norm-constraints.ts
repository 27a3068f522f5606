// Limits on the norm of each unit's incoming weights, as tf.constraints.
import * as tf from "@tensorflow/tfjs";
import { allLayers, type Model } from "./_layer.ts";

/** What tf.constraints.maxNorm and its siblings return. */
export type Constraint = ReturnType<typeof tf.constraints.nonNeg>;

export interface NormConstraintOptions {
  /** The largest norm allowed, > 0. */
  max: number;
}

// tfjs does not export the base class, and accepts only its instances as constraints.
const Base = Object.getPrototypeOf(tf.constraints.nonNeg().constructor) as {
  new (): Constraint;
  fromConfig: tf.serialization.FromConfigMethod<tf.serialization.Serializable>;
};

abstract class NormConstraint extends Base {
  readonly max: number;

  constructor(where: string, options: NormConstraintOptions) {
    super();
    const max = options?.max;
    if (!(max > 0 && max < Infinity))
      throw new RangeError(`${where}: expected a positive max but got ${max}`);
    this.max = max;
  }

  /** Sum or mean over all axes but the last. */
  abstract reduce(squares: tf.Tensor, axes: number[]): tf.Tensor;

  override apply(weights: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const axes = Array.from({ length: weights.rank - 1 }, (_, axis) => axis);
      const norm = tf.sqrt(this.reduce(tf.square(weights), axes));
      // A column of zeros gives max / 0 = Infinity, hence 1.
      return tf.mul(weights, tf.minimum(1, tf.div(this.max, norm)));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { max: this.max };
  }
}

class RmsNorm extends NormConstraint {
  static className = "GzRmsNorm";
  constructor(options: NormConstraintOptions) {
    super("rmsNorm", options);
  }
  override reduce(squares: tf.Tensor, axes: number[]): tf.Tensor {
    return tf.mean(squares, axes);
  }
}
tf.serialization.registerClass(RmsNorm);

class L2Norm extends NormConstraint {
  static className = "GzL2Norm";
  constructor(options: NormConstraintOptions) {
    super("l2Norm", options);
  }
  override reduce(squares: tf.Tensor, axes: number[]): tf.Tensor {
    return tf.sum(squares, axes);
  }
}
tf.serialization.registerClass(L2Norm);

/**
 * Constraint for `kernelConstraint`: each unit's weights (all axes but the last) are multiplied by min(1, max / n), n = sqrt(mean(w^2)), the
 * form of the winner's norm-constrained model (max 0.4 and 0.23, applied every 10th step). tfjs does not apply constraints while it trains:
 * call `applyConstraints`.
 * @throws RangeError when `max` is not positive.
 */
export function rmsNorm(options: NormConstraintOptions): Constraint {
  return new RmsNorm(options);
}

/**
 * Constraint for `kernelConstraint`: each unit's weights (all axes but the last, so a convolution's filter counts as one) are multiplied by
 * min(1, max / n), n = sqrt(sum(w^2)) (Srivastava et al. 2014). tfjs does not apply constraints while it trains: call `applyConstraints`.
 * @throws RangeError when `max` is not positive.
 */
export function l2Norm(options: NormConstraintOptions): Constraint {
  return new L2Norm(options);
}

/**
 * Applies the constraints of all weights of a model, these and tf.constraints alike, in place: to be called after a training step, or every
 * k-th. (tfjs keeps a layer's constraints, but its optimisers go past them.) A model without constraints is left as it is.
 */
export function applyConstraints(model: Model): void {
  for (const layer of allLayers(model)) {
    if ("layers" in layer || "layer" in layer) continue; // their inner layers come by themselves
    for (const weight of layer.weights) {
      const { constraint } = weight;
      const value = weight.read() as tf.Variable;
      if (constraint) tf.tidy(() => value.assign(constraint.apply(value)));
    }
  }
}
