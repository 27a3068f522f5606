// Several views of an image through one network: flattenViews before it, averageViews after it.
import * as tf from "@tensorflow/tfjs";
import { type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

class FlattenViews extends tf.layers.Layer {
  static className = "GzFlattenViews";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("flattenViews", inputShape);
    const [batch, views, ...rest] = shape;
    if (shape.length < 3)
      throw new RangeError(
        `flattenViews: expected an input shape [batch, views, ...] but got ${show(shape)}`,
      );
    return [batch == null || views == null ? null : batch * views, ...rest];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("flattenViews", inputs);
    return tf.reshape(x, this.computeOutputShape(x.shape) as number[]);
  }
}
tf.serialization.registerClass(FlattenViews);

/**
 * Puts an image's views on the batch axis, [batch, views, ...] -> [batch * views, ...], row b * views + v, so that one
 * network sees them all. No axis need be known beforehand: any number of views, of any size, go through a network that
 * ends in a global average.
 * @throws RangeError when the input has no axis of views.
 */
export function flattenViews(options: LayerArgs = {}): tf.layers.Layer {
  return new FlattenViews(options);
}

class AverageViews extends tf.layers.Layer {
  static className = "GzAverageViews";

  override computeOutputShape(inputShapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [[rows, ...rest], [images]] = two(inputShapes as tf.Shape[]);
    if (rows != null && images != null && (images === 0 || rows % images !== 0))
      throw new RangeError(
        `averageViews: expected the same number of rows for each of ${images} images but got ${rows}`,
      );
    return [images ?? null, ...rest];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, images] = two(inputs as tf.Tensor[]);
    const [batch, ...rest] = this.computeOutputShape([x.shape, images.shape]) as number[];
    if (x.shape[0] === batch) return x;
    return tf.tidy(() => tf.mean(tf.reshape(x, [batch!, x.shape[0]! / batch!, ...rest]), 1));
  }
}
tf.serialization.registerClass(AverageViews);

/** Both inputs, as tensors or as shapes: a single shape is an array too, of numbers. */
function two<T extends tf.Tensor | tf.Shape>(inputs: T[]): [T, T] {
  const [first] = Array.isArray(inputs) ? inputs : [];
  const count = Array.isArray(first) || first instanceof tf.Tensor ? inputs.length : 1;
  if (count !== 2)
    throw new TypeError(`averageViews: expected two inputs, [features, images], but got ${count}`);
  return inputs as [T, T];
}

/**
 * Mean over the rows of each image: of features [rows, ...] and anything with the images on its batch axis, [batch, ...]
 * (what went into flattenViews or squareSymmetries), the means [batch, ...] over rows / batch neighbouring rows. How many
 * there are need not be known beforehand, nor be the same where a network trains and where it predicts.
 *
 *     averageViews().apply([features, images])
 *
 * @throws TypeError without two inputs; RangeError when the rows are not a multiple of the images.
 */
export function averageViews(options: LayerArgs = {}): tf.layers.Layer {
  return new AverageViews(options);
}
