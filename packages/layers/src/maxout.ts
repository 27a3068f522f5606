// Maxout over the last axis: [..., units * pieces] -> [..., units].
import * as tf from "@tensorflow/tfjs";
import {
  checkInteger,
  type LayerArgs,
  lastAxis,
  oneShape,
  oneTensor,
  withGradient,
} from "./_layer.ts";

/** Options of `maxout`. */
export interface MaxoutOptions extends LayerArgs {
  /** How many neighbours on the last axis compete for one output: an integer of at least 2. */
  pieces: number;
}

class Maxout extends tf.layers.Layer {
  static className = "GzMaxout";
  readonly pieces: number;

  constructor(options: MaxoutOptions) {
    super(options);
    this.pieces = checkInteger("maxout", "pieces", options?.pieces, 2);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("maxout", inputShape);
    const width = lastAxis("maxout", shape);
    if (width % this.pieces !== 0)
      throw new RangeError(
        `maxout: expected a last axis that is a multiple of ${this.pieces} pieces but got ${width}`,
      );
    return [...shape.slice(0, -1), width / this.pieces];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("maxout", inputs);
    const shape = this.computeOutputShape(x.shape) as number[];
    return tf.tidy(() => tf.reshape(maxLast(tf.reshape(x, [-1, this.pieces])), shape));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), pieces: this.pieces };
  }
}
tf.serialization.registerClass(Maxout);

/** Largest of the last axis. tf.max would send the whole gradient to each of several equal winners; here they share it. */
function maxLast(x: tf.Tensor): tf.Tensor {
  return withGradient(
    [x],
    (save) => {
      const y = tf.max(x, -1, true);
      save([x, y]);
      return y;
    },
    (dy, [x, y]) => {
      // Not equal(x, y): comparing with broadcasting takes the wasm backend ten times as long.
      const winners = tf.cast(tf.equal(tf.sub(y!, x!), 0), "float32");
      return [tf.mul(winners, tf.div(dy, tf.sum(winners, -1, true)))];
    },
  );
}

/**
 * Maxout (Goodfellow et al. 2013, arXiv 1302.4389): y[m] = max over j < pieces of x[m * pieces + j] on the last axis.
 * The linear units come from the layer before it: `tf.layers.dense({ units: 2 * 256 })` then `maxout({ pieces: 2 })` gives 256.
 * Equal winners share the gradient evenly.
 * @throws RangeError when `pieces` is not an integer of at least 2, or does not divide the last axis.
 */
export function maxout(options: MaxoutOptions): tf.layers.Layer {
  return new Maxout(options);
}
