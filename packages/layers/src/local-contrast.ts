// Local contrast normalisation: what is bright for its surroundings, by how much these vary.
import * as tf from "@tensorflow/tfjs";
import { type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

export interface LocalContrastOptions extends LayerArgs {
  /** Standard deviation, in pixels, of the Gaussian under which the local mean is taken. */
  mean: number;
  /** That of the Gaussian under which the local variance is taken. */
  deviation: number;
  /** Added to the variance: where contrast is far below the root of it, it is not raised to that of the rest. */
  bias: number;
}

/** Weights reach this many standard deviations, as SciPy's do. */
const REACH = 4;

class LocalContrast extends tf.layers.Layer {
  static className = "GzLocalContrast";
  private readonly mean: number;
  private readonly deviation: number;
  private readonly bias: number;

  constructor(options: LocalContrastOptions) {
    super(options);
    this.mean = checkPositive("mean", options?.mean);
    this.deviation = checkPositive("deviation", options?.deviation);
    this.bias = checkPositive("bias", options?.bias);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("localContrast", inputShape);
    if (shape.length < 4)
      throw new RangeError(
        `localContrast: expected an input shape [batch, ..., rows, columns, channels] but got ${show(shape)}`,
      );
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("localContrast", inputs);
    this.computeOutputShape(x.shape);
    const [rows, columns, channels] = x.shape.slice(-3) as [number, number, number];
    return tf.tidy(() => {
      // Channels apart, so that a blur is a product of two matrices.
      const byPixel = tf.reshape(x, [-1, rows * columns, channels]);
      const planes: tf.Tensor3D = tf.reshape(tf.transpose(byPixel, [0, 2, 1]), [-1, rows, columns]);
      // Without each plane's mean, which changes nothing here, the numbers are small where a GPU rounds what matMul multiplies.
      const around = tf.sub(planes, tf.mean(planes, [1, 2], true)) as tf.Tensor3D;
      const centred = tf.sub(around, blur(around, this.mean));
      const variance = blur(tf.mul(centred, centred), this.deviation);
      const y = tf.div(centred, tf.sqrt(tf.add(variance, this.bias)));
      const byChannel = tf.reshape(y, [-1, channels, rows * columns]);
      return tf.reshape(tf.transpose(byChannel, [0, 2, 1]), x.shape);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { mean, deviation, bias } = this;
    return { ...super.getConfig(), mean, deviation, bias };
  }
}
tf.serialization.registerClass(LocalContrast);

/** Planes [n, rows, columns] under a Gaussian, along their rows and then along their columns. */
function blur(planes: tf.Tensor3D, sigma: number): tf.Tensor3D {
  const along = (x: tf.Tensor3D): tf.Tensor3D => {
    const [n, rows, columns] = x.shape;
    const smooth = tf.matMul(tf.reshape(x, [n * rows, columns]), gaussian(columns, sigma));
    return tf.transpose(tf.reshape(smooth, [n, rows, columns]), [0, 2, 1]);
  };
  return along(along(planes));
}

/** [size, size]: how much of pixel i is in the blurred pixel j; at the border the line goes on as its own mirror image. */
function gaussian(size: number, sigma: number): tf.Tensor2D {
  const reach = Math.floor(REACH * sigma + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const matrix = new Float32Array(size * size);
  for (let j = 0; j < size; j++)
    for (let k = -reach; k <= reach; k++)
      matrix[mirrored(j + k, size) * size + j]! += weights[k + reach]! / total;
  return tf.tensor2d(matrix, [size, size]);
}

/** ... 1 0 [0 1 2] 2 1 ...: the edge pixel is repeated. */
function mirrored(i: number, size: number): number {
  const phase = ((i % (2 * size)) + 2 * size) % (2 * size);
  return phase < size ? phase : 2 * size - 1 - phase;
}

function checkPositive(what: string, value: number): number {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new RangeError(`localContrast: expected a positive number for ${what} but got ${value}`);
  return value;
}

/**
 * Local contrast normalisation (Jarrett et al. 2009), each channel by itself: y = d / sqrt(G(d^2) + bias) with
 * d = x - G(x), where G is the mean under a Gaussian: of standard deviation `mean` first, `deviation` then. Images
 * [B, rows, columns, channels], or with more axes before them, such as views; the border is mirrored, the edge repeated.
 * No weights.
 * @throws RangeError for an option that is not a positive number, or an input of fewer axes.
 */
export function localContrast(options: LocalContrastOptions): tf.layers.Layer {
  return new LocalContrast(options);
}
