// A network that does not care how its image is turned: squareSymmetries before it, averageSymmetries after it.
import * as tf from "@tensorflow/tfjs";
import { type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

/** The quarter turns and their mirror images: the dihedral group of a square. */
const SYMMETRIES = 8;

interface CallArgs {
  training?: boolean;
}

class SquareSymmetries extends tf.layers.Layer {
  static className = "GzSquareSymmetries";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("squareSymmetries", inputShape);
    const [, height, width] = shape;
    if (shape.length !== 4 || height !== width)
      throw new RangeError(
        `squareSymmetries: expected an input shape [batch, size, size, channels] but got ${show(shape)}`,
      );
    // The batch axis is longer in some calls than in others.
    return [null, ...shape.slice(1)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: CallArgs = {}): tf.Tensor {
    const x = oneTensor("squareSymmetries", inputs);
    this.computeOutputShape(x.shape);
    if (training) return x;
    return tf.tidy(() => {
      const upright = [x, tf.reverse(x, 1), tf.reverse(x, 2), tf.reverse(x, [1, 2])];
      const turned = upright.map((image) => tf.transpose(image, [0, 2, 1, 3]));
      return tf.concat([...upright, ...turned], 0);
    });
  }
}
tf.serialization.registerClass(SquareSymmetries);

/**
 * Where it predicts, puts the eight turns and mirror images of each square image on the batch axis,
 * [batch, size, size, channels] -> [8 batch, size, size, channels], symmetry by symmetry; the first `batch` rows are the
 * images as they are. Training calls pass the batch through: there each image stands for a symmetry that augmentation
 * drew, and the network learns from more images in the same time.
 *
 * With averageSymmetries at its other end, a network's predictions are exactly invariant (to rounding) under the eight,
 * by averaging over the group (Cohen & Welling 2016, arXiv 1602.07576, do so inside the network).
 * @throws RangeError when the images are not square.
 */
export function squareSymmetries(options: LayerArgs = {}): tf.layers.Layer {
  return new SquareSymmetries(options);
}

class AverageSymmetries extends tf.layers.Layer {
  static className = "GzAverageSymmetries";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [null, ...oneShape("averageSymmetries", inputShape).slice(1)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: CallArgs = {}): tf.Tensor {
    const x = oneTensor("averageSymmetries", inputs);
    if (training) return x;
    const [rows, ...rest] = x.shape;
    if (rows! % SYMMETRIES !== 0)
      throw new RangeError(
        `averageSymmetries: expected a multiple of ${SYMMETRIES} rows, those of squareSymmetries, but got ${rows}`,
      );
    return tf.tidy(() => tf.mean(tf.reshape(x, [SYMMETRIES, rows! / SYMMETRIES, ...rest]), 0));
  }
}
tf.serialization.registerClass(AverageSymmetries);

/**
 * Mean over the symmetries of each image, [8 batch, ...] -> [batch, ...]; training calls pass through. The other end of
 * squareSymmetries.
 * @throws RangeError when the batch axis is not a multiple of 8.
 */
export function averageSymmetries(options: LayerArgs = {}): tf.layers.Layer {
  return new AverageSymmetries(options);
}
