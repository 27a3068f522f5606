// Batch normalisation over all axes but the last, with a fused kernel where the backend has one.
import * as tf from "@tensorflow/tfjs";
import {
  type Initializer,
  initializerConfig,
  type LayerArgs,
  lastAxis,
  oneShape,
  oneTensor,
  sumRows,
  toInitializer,
  withGradient,
} from "./_layer.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions extends LayerArgs {
  /** How much of the moving statistics stays at each training call, 0 <= momentum < 1; default 0.9 (what PyTorch calls 0.1). */
  momentum?: number;
  /** Added to the variance, > 0; default 1e-5. */
  epsilon?: number;
  /** How the scale starts; default tf.initializers.ones(). Zeros make a residual branch start as nothing. */
  gammaInitializer?: Initializer;
}

class BatchNorm extends tf.layers.Layer {
  static className = "GzBatchNorm";
  private readonly momentum: number;
  private readonly epsilon: number;
  private readonly gammaInitializer: Initializer;
  private gamma: tf.LayerVariable | undefined;
  private beta: tf.LayerVariable | undefined;
  private movingMean: tf.LayerVariable | undefined;
  private movingVariance: tf.LayerVariable | undefined;

  constructor(options: BatchNormOptions = {}) {
    super(options);
    const { momentum = 0.9, epsilon = 1e-5, gammaInitializer = tf.initializers.ones() } = options;
    if (!(momentum >= 0 && momentum < 1))
      throw new RangeError(
        `batchNorm: expected a number in [0, 1) for momentum but got ${momentum}`,
      );
    if (!(epsilon > 0 && epsilon < Infinity))
      throw new RangeError(`batchNorm: expected a positive number for epsilon but got ${epsilon}`);
    this.momentum = momentum;
    this.epsilon = epsilon;
    this.gammaInitializer = toInitializer("batchNorm", "gammaInitializer", gammaInitializer);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = [lastAxis("batchNorm", oneShape("batchNorm", inputShape))];
    const { zeros, ones } = tf.initializers;
    const none = undefined; // no regularizer
    this.gamma = this.addWeight("gamma", shape, "float32", this.gammaInitializer);
    this.beta = this.addWeight("beta", shape, "float32", zeros());
    this.movingMean = this.addWeight("moving_mean", shape, "float32", zeros(), none, false);
    this.movingVariance = this.addWeight("moving_variance", shape, "float32", ones(), none, false);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs?: { training?: boolean }): tf.Tensor {
    const x = oneTensor("batchNorm", inputs);
    const [gamma, beta] = [this.gamma!.read(), this.beta!.read()];
    return tf.tidy(() => {
      if (kwargs?.training) return this.normalize(x, gamma, beta);
      const [mean, variance] = [this.movingMean!.read(), this.movingVariance!.read()];
      return tf.reshape(
        tf.batchNorm(
          asImage(x),
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          beta as tf.Tensor1D,
          gamma as tf.Tensor1D,
          this.epsilon,
        ),
        x.shape,
      );
    });
  }

  /** By the batch's own statistics, which move the moving ones. */
  private normalize(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
    const { epsilon, momentum } = this;
    const fused = ["GzBatchNorm", "GzBatchNormGrad"].every((name) =>
      tf.getKernel(name, tf.getBackend()),
    );
    const moving: Moving = {
      momentum,
      mean: this.movingMean!.read(),
      variance: this.movingVariance!.read(),
      move: (mean, variance) => {
        this.movingMean!.write(mean);
        this.movingVariance!.write(variance);
      },
    };
    const y = fused
      ? fusedNormalize(asImage(x), gamma, beta, epsilon, moving)
      : composedNormalize(tf.reshape(x, [-1, gamma.size]), gamma, beta, epsilon, moving);
    return y.rank === x.rank && fused ? y : tf.reshape(y, x.shape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape("batchNorm", inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      momentum: this.momentum,
      epsilon: this.epsilon,
      gammaInitializer: initializerConfig(this.gammaInitializer),
    };
  }
}
tf.serialization.registerClass(BatchNorm);

/** [N, H, W, C] whatever the rank: the statistics are the same. */
function asImage(x: tf.Tensor): tf.Tensor4D {
  return x.rank === 4 ? (x as tf.Tensor4D) : tf.reshape(x, [-1, 1, 1, x.shape.at(-1)!]);
}

/** The moving statistics, and where those after a batch go. */
interface Moving {
  momentum: number;
  mean: tf.Tensor;
  variance: tf.Tensor;
  move(mean: tf.Tensor, variance: tf.Tensor): void;
}

/** By the kernels that @gz/backend registers; which tensors the second needs from the first is theirs to know. */
function fusedNormalize(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  { momentum, mean, variance, move }: Moving,
): tf.Tensor {
  const run = (name: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor[] =>
    tf.engine().runKernel(name, inputs, attrs);
  return withGradient(
    [x, gamma, beta],
    (save) => {
      const inputs = { x, scale: gamma, offset: beta, movingMean: mean, movingVariance: variance };
      const [y, newMean, newVariance, ...rest] = run("GzBatchNorm", inputs, { epsilon, momentum });
      move(newMean!, newVariance!);
      save([x, gamma, ...rest]);
      return y!;
    },
    (dy, [x, scale, ...rest]) => {
      const saved = Object.fromEntries(rest.map((tensor, i) => [`saved${i + 1}`, tensor]));
      return run("GzBatchNormGrad", { dy, x: x!, scale: scale!, ...saved }, { epsilon });
    },
  );
}

/** By tfjs's own operations on x [N, C]: seven passes over x forward, seven back, where differentiating the formula takes some thirty. */
function composedNormalize(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  moving: Moving,
): tf.Tensor {
  const count = x.shape[0]!;
  return withGradient(
    [x, gamma, beta],
    (save) => {
      const mean = tf.div(sumRows(x), count);
      const centred = tf.sub(x, mean);
      const variance = tf.div(sumRows(tf.square(centred)), count);
      const { momentum } = moving;
      const blend = (old: tf.Tensor, value: tf.Tensor, share: number) =>
        tf.add(tf.mul(old, momentum), tf.mul(value, share));
      moving.move(
        blend(moving.mean, mean, 1 - momentum),
        blend(moving.variance, variance, ((1 - momentum) * count) / Math.max(count - 1, 1)),
      );
      const inverse = tf.rsqrt(tf.add(variance, epsilon));
      const scale = tf.mul(inverse, gamma);
      save([centred, inverse, scale]);
      return tf.add(tf.mul(centred, scale), beta);
    },
    // With u = centred * inverse: dx = scale * (dy - mean(dy) - u * mean(dy * u)), dgamma = sum(dy * u), dbeta = sum(dy).
    (dy, [centred, inverse, scale]) => {
      const dbeta = sumRows(dy);
      const dgamma = tf.mul(sumRows(tf.mul(dy, centred!)), inverse!);
      const slope = tf.mul(tf.mul(dgamma, inverse!), -1 / count);
      const level = tf.mul(dbeta, -1 / count);
      const inner = tf.add(tf.add(dy, tf.mul(centred!, slope)), level);
      return [tf.mul(inner, scale!), dgamma, dbeta];
    },
  );
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) over all axes but the last: y = gamma * (x - mean) / sqrt(variance + epsilon)
 * + beta. Training calls use the batch's mean and biased variance, and move `moving_mean` and `moving_variance` (not trainable) by
 * moving * momentum + batch * (1 - momentum), the variance unbiased (n / (n - 1)), as PyTorch and TensorFlow do; other calls use the moving
 * ones. Runs on the kernels GzBatchNorm and GzBatchNormGrad where the backend has them (@gz/backend), else on a hand-written gradient.
 * @throws RangeError when `momentum` is not in [0, 1), `epsilon` is not positive, or the last axis is not known.
 */
export function batchNorm(options: BatchNormOptions = {}): tf.layers.Layer {
  return new BatchNorm(options);
}
