// Square images about their middle, in polar coordinates: a turn of the image is a shift of rows.
import * as tf from "@tensorflow/tfjs";
import { checkInteger, type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

export interface PolarCoordinatesOptions extends LayerArgs {
  /** Rows: directions of a whole turn, evenly spaced. */
  angles: number;
  /** Columns: distances from the middle outwards, evenly spaced. */
  radii: number;
  /** Rows of the turn that are there again at either end, so that filters see it closed; none if left out. */
  wrap?: number;
}

/** Where each output pixel's four neighbours lie in a square image, and what each counts. */
interface Sampling {
  /** Which image size it is of. */
  size: number;
  /** [4, rows * radii] */
  pixels: Int32Array;
  weights: Float32Array;
}

class PolarCoordinates extends tf.layers.Layer {
  static className = "GzPolarCoordinates";
  readonly angles: number;
  readonly radii: number;
  readonly wrap: number;
  private sampling: Sampling | undefined;

  constructor(options: PolarCoordinatesOptions) {
    super(options);
    this.angles = checkInteger("polarCoordinates", "angles", options?.angles, 1);
    this.radii = checkInteger("polarCoordinates", "radii", options?.radii, 1);
    this.wrap = checkInteger("polarCoordinates", "wrap", options?.wrap ?? 0, 0);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("polarCoordinates", inputShape);
    const [rows, columns, channels] = shape.slice(-3);
    if (shape.length < 4 || rows !== columns)
      throw new RangeError(
        `polarCoordinates: expected an input shape [batch, ..., size, size, channels] but got ${show(shape)}`,
      );
    return [...shape.slice(0, -3), this.angles + 2 * this.wrap, this.radii, channels!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("polarCoordinates", inputs);
    const shape = this.computeOutputShape(x.shape) as number[];
    const [size, channels] = x.shape.slice(-2) as [number, number];
    const { pixels, weights } = this.samplingOf(size);
    const points = weights.length / 4;
    return tf.tidy(() => {
      // Pixels first: all images' values of one pixel lie together, and a neighbour is one row.
      const byPixel = tf.transpose(tf.reshape(x, [-1, size * size, channels]), [1, 0, 2]);
      const rows = tf.reshape(byPixel, [size * size, -1]);
      const neighbours = tf.reshape(tf.gather(rows, tf.tensor1d(pixels, "int32")), [4, points, -1]);
      const weighted = tf.mul(neighbours, tf.tensor3d(weights, [4, points, 1]));
      const byPoint = tf.reshape(tf.sum(weighted, 0), [points, -1, channels]);
      return tf.reshape(tf.transpose(byPoint, [1, 0, 2]), shape);
    });
  }

  private samplingOf(size: number): Sampling {
    if (this.sampling?.size !== size) this.sampling = samplingOf(size, this);
    return this.sampling;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { angles, radii, wrap } = this;
    return { ...super.getConfig(), angles, radii, wrap };
  }
}
tf.serialization.registerClass(PolarCoordinates);

function samplingOf(
  size: number,
  { angles, radii, wrap }: { angles: number; radii: number; wrap: number },
): Sampling {
  const points = (angles + 2 * wrap) * radii;
  const pixels = new Int32Array(4 * points);
  const weights = new Float32Array(4 * points);
  const middle = (size - 1) / 2;
  for (let point = 0; point < points; point++) {
    const turn = (2 * Math.PI * (Math.floor(point / radii) - wrap)) / angles;
    const radius = (((point % radii) + 0.5) / radii) * middle;
    const x = middle + radius * Math.cos(turn);
    const y = middle + radius * Math.sin(turn);
    const [column, row] = [Math.floor(x), Math.floor(y)];
    for (let k = 0; k < 4; k++) {
      const [right, down] = [k & 1, k >> 1];
      const share = (right ? x - column : 1 - x + column) * (down ? y - row : 1 - y + row);
      // Only the one pixel of a 1 x 1 image has neighbours outside, and they count nothing.
      const at = Math.min(row + down, size - 1) * size + Math.min(column + right, size - 1);
      pixels[k * points + point] = at;
      weights[k * points + point] = share;
    }
  }
  return { size, pixels, weights };
}

/**
 * Images [B, size, size, channels] (or with more axes before them, such as views) in polar coordinates about their middle,
 * bilinearly: [B, angles + 2 wrap, radii, channels]. Row `wrap` + i looks along the angle 360 i / angles degrees, from x
 * to the right towards y down; column j is (j + 0.5) / radii of the way from the middle to the edge pixels' centres. An
 * image turned by 360 / angles degrees has its rows one further. No weights.
 * @throws RangeError for an option that is not such an integer, or images that are not square.
 */
export function polarCoordinates(options: PolarCoordinatesOptions): tf.layers.Layer {
  return new PolarCoordinates(options);
}
