// All turns and mirror images of an image through one network: squareSymmetries before it, averageViews after it.
import * as tf from "@tensorflow/tfjs";
import { type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

/** The quarter turns and their mirror images: the dihedral group of a square. */
const SYMMETRIES = 8;

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

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { training }: { training?: boolean } = {},
  ): tf.Tensor {
    const x = oneTensor("squareSymmetries", inputs);
    this.computeOutputShape(x.shape);
    if (training) return x;
    const [batch, ...rest] = x.shape;
    return tf.tidy(() => {
      const upright = [x, tf.reverse(x, 1), tf.reverse(x, 2), tf.reverse(x, [1, 2])];
      const turned = upright.map((image) => tf.transpose(image, [0, 2, 1, 3]));
      return tf.reshape(tf.stack([...upright, ...turned], 1), [batch! * SYMMETRIES, ...rest]);
    });
  }
}
tf.serialization.registerClass(SquareSymmetries);

/**
 * Where it predicts, puts the eight turns and mirror images of each square image on the batch axis,
 * [batch, size, size, channels] -> [8 batch, size, size, channels], row 8 b + s, the image itself first. Training calls
 * pass the batch through: there each image stands for a symmetry that augmentation drew, and the network learns from
 * more images in the same time.
 *
 * With averageViews at its other end a network's predictions are invariant under the eight, but for rounding: an average
 * over the group, which Cohen & Welling (2016, arXiv 1602.07576) take inside every convolution.
 * @throws RangeError when the images are not square.
 */
export function squareSymmetries(options: LayerArgs = {}): tf.layers.Layer {
  return new SquareSymmetries(options);
}
