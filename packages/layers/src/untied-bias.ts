// One bias a position: [N, ...rest] + [...rest].
import * as tf from "@tensorflow/tfjs";
import {
  type Initializer,
  initializerConfig,
  type LayerArgs,
  oneShape,
  oneTensor,
  show,
  sumRows,
  toInitializer,
  withGradient,
} from "./_layer.ts";

/** Options of `untiedBias`. */
export interface UntiedBiasOptions extends LayerArgs {
  /** How the biases start; default tf.initializers.zeros(). */
  initializer?: Initializer;
}

class UntiedBias extends tf.layers.Layer {
  static className = "GzUntiedBias";
  private readonly initializer: Initializer;
  private bias: tf.LayerVariable | undefined;

  constructor(options: UntiedBiasOptions = {}) {
    super(options);
    this.initializer = toInitializer(
      "untiedBias",
      "initializer",
      options.initializer ?? tf.initializers.zeros(),
    );
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = oneShape("untiedBias", inputShape).slice(1);
    if (shape.length === 0 || shape.some((size) => size == null))
      throw new RangeError(
        `untiedBias: expected an input shape with every axis after the batch known but got ${show(inputShape)}`,
      );
    this.bias = this.addWeight("bias", shape, "float32", this.initializer);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("untiedBias", inputs);
    const bias = this.bias!.read();
    return tf.tidy(() =>
      withGradient(
        [x, bias],
        () => tf.add(x, bias),
        (dy) => [tf.clone(dy), tf.reshape(sumRows(tf.reshape(dy, [dy.shape[0]!, -1])), bias.shape)],
      ),
    );
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape("untiedBias", inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), initializer: initializerConfig(this.initializer) };
  }
}
tf.serialization.registerClass(UntiedBias);

/**
 * Adds a bias of its own to every position and channel: y[n, i, j, c] = x[n, i, j, c] + b[i, j, c], for inputs [N, ...] of any rank.
 * Put it after a convolution with `useBias: false`. The weight is called `bias` and has the input's shape without the batch.
 * @throws RangeError when an axis after the batch is not known; TypeError when `initializer` is not one of tf.initializers.
 */
export function untiedBias(options: UntiedBiasOptions = {}): tf.layers.Layer {
  return new UntiedBias(options);
}
