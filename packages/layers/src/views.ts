// Several views of an image through one network: flattenViews before it, averageViews after it.
import * as tf from "@tensorflow/tfjs";
import { checkInteger, type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

class FlattenViews extends tf.layers.Layer {
  static className = "GzFlattenViews";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("flattenViews", inputShape);
    const [batch, views, ...rest] = shape;
    if (shape.length < 3 || views == null)
      throw new RangeError(
        `flattenViews: expected an input shape [batch, views, ...] with known views but got ${show(shape)}`,
      );
    return [batch == null ? null : batch * views, ...rest];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("flattenViews", inputs);
    return tf.reshape(x, this.computeOutputShape(x.shape) as number[]);
  }
}
tf.serialization.registerClass(FlattenViews);

/**
 * Puts an image's views on the batch axis, [batch, views, ...] -> [batch * views, ...], row b * views + v, so that one
 * network sees them all. The other axes need not be known beforehand: views of any size go through a network that ends
 * in a global average.
 * @throws RangeError when the input has no views axis of known length.
 */
export function flattenViews(options: LayerArgs = {}): tf.layers.Layer {
  return new FlattenViews(options);
}

export interface AverageViewsOptions extends LayerArgs {
  /** Views an image, as flattenViews met them. */
  views: number;
}

class AverageViews extends tf.layers.Layer {
  static className = "GzAverageViews";
  readonly views: number;

  constructor(options: AverageViewsOptions) {
    super(options);
    this.views = checkInteger("averageViews", "views", options?.views, 1);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [rows, ...rest] = oneShape("averageViews", inputShape);
    if (rows != null && rows % this.views !== 0)
      throw new RangeError(
        `averageViews: expected a multiple of ${this.views} views on the batch axis but got ${rows}`,
      );
    return [rows == null ? null : rows / this.views, ...rest];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("averageViews", inputs);
    const [batch, ...rest] = this.computeOutputShape(x.shape) as number[];
    return tf.tidy(() => tf.mean(tf.reshape(x, [batch!, this.views, ...rest]), 1));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), views: this.views };
  }
}
tf.serialization.registerClass(AverageViews);

/**
 * Mean over an image's views, [batch * views, ...] -> [batch, ...]: what comes out no longer depends on their order. The
 * other end of flattenViews.
 * @throws RangeError when `views` is not an integer of at least 1, or does not divide the batch axis.
 */
export function averageViews(options: AverageViewsOptions): tf.layers.Layer {
  return new AverageViews(options);
}
