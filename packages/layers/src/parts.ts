// Views to parts and back, as the winner's network does it: splitParts on pixels, mergeParts on features.
import * as tf from "@tensorflow/tfjs";
import { checkInteger, type LayerArgs, oneShape, oneTensor, show } from "./_layer.ts";

/** Options of `splitParts`. */
export interface SplitPartsOptions extends LayerArgs {
  /** Side of a part in pixels, at most the side of a view. */
  partSize: number;
  /** Whether each view is also taken mirrored left to right; default true. */
  mirror?: boolean;
}

class SplitParts extends tf.layers.Layer {
  static className = "GzSplitParts";
  readonly partSize: number;
  readonly mirror: boolean;

  constructor(options: SplitPartsOptions) {
    super(options);
    this.partSize = checkInteger("splitParts", "partSize", options?.partSize, 1);
    this.mirror = options.mirror ?? true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("splitParts", inputShape);
    const [batch, views, rows, columns, channels] = shape;
    if (shape.length !== 5 || shape.slice(1).some((size) => size == null) || rows !== columns)
      throw new RangeError(
        `splitParts: expected an input shape [batch, views, size, size, channels] but got ${show(shape)}`,
      );
    if (rows! < this.partSize)
      throw new RangeError(
        `splitParts: expected views of at least ${this.partSize} x ${this.partSize} pixels but got ${rows} x ${columns}`,
      );
    const parts = views! * (this.mirror ? 8 : 4);
    return [batch == null ? null : batch! * parts, this.partSize, this.partSize, channels!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("splitParts", inputs);
    const shape = this.computeOutputShape(x.shape) as [number, number, number, number];
    const [batch, views, size, , channels] = x.shape as [number, number, number, number, number];
    return tf.tidy(() => {
      const byBatch = tf.reshape(x, [batch, views, size * size * channels]);
      const images: tf.Tensor3D = tf.reshape(tf.transpose(byBatch, [1, 0, 2]), [
        views * batch,
        size,
        size * channels,
      ]);
      // Each part is [views * batch, part, part, channels]; side by side on axis 1 they come in the order view, mirror, k, batch.
      const parts = turnedParts(images, this.partSize, channels, this.mirror);
      return tf.reshape(
        tf.concat(
          parts.map((part) => tf.reshape(part, [views, -1])),
          1,
        ),
        shape,
      );
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), partSize: this.partSize, mirror: this.mirror };
  }
}
tf.serialization.registerClass(SplitParts);

/**
 * The parts of images [N, size, size * channels] in order. Mirroring a turned image is transposing it, so that the mirrored parts come from
 * the same four corners and only three pieces are ever reversed.
 */
function turnedParts(
  images: tf.Tensor3D,
  part: number,
  channels: number,
  mirror: boolean,
): tf.Tensor4D[] {
  const far = images.shape[1] - part;
  const cut = (row: number, column: number): tf.Tensor4D =>
    tf.reshape(tf.slice3d(images, [0, row, column * channels], [-1, part, part * channels]), [
      -1,
      part,
      part,
      channels,
    ]);
  const transpose = (x: tf.Tensor4D): tf.Tensor4D => tf.transpose(x, [0, 2, 1, 3]);
  const plain = cut(0, 0);
  const leftRight = tf.reverse4d(cut(0, far), 2);
  const upDown = tf.reverse4d(cut(far, 0), 1);
  const both = tf.reverse4d(cut(far, far), [1, 2]);
  const turned = [plain, transpose(leftRight), both, transpose(upDown)];
  return mirror ? [...turned, leftRight, transpose(plain), upDown, transpose(both)] : turned;
}

/**
 * Cuts views [batch, views, size, size, channels] into parts [P * batch, partSize, partSize, channels], so that one small network sees them
 * all. Part p = 8 * view + 4 * mirror + k (without mirrors p = 4 * view + k) is the top-left corner of the view, mirrored left to right when
 * mirror = 1, after k counter-clockwise quarter turns; row p * batch + b of the output is part p of image b. The order of @gz/views.
 * @throws RangeError when `partSize` is not an integer from 1 to the views' size, or the input is not square views of rank 5.
 */
export function splitParts(options: SplitPartsOptions): tf.layers.Layer {
  return new SplitParts(options);
}

/** Options of `mergeParts`. */
export interface MergePartsOptions extends LayerArgs {
  /** Parts an image: 16 after splitParts of two mirrored views. */
  parts: number;
}

class MergeParts extends tf.layers.Layer {
  static className = "GzMergeParts";
  readonly parts: number;

  constructor(options: MergePartsOptions) {
    super(options);
    this.parts = checkInteger("mergeParts", "parts", options?.parts, 1);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape("mergeParts", inputShape);
    const rows = shape[0];
    if (shape.length < 2 || shape.slice(1).some((size) => size == null))
      throw new RangeError(
        `mergeParts: expected an input shape [parts * batch, ...] with every axis after the batch known but got ${show(shape)}`,
      );
    if (rows != null && rows % this.parts !== 0)
      throw new RangeError(
        `mergeParts: expected a multiple of ${this.parts} parts on the batch axis but got ${rows}`,
      );
    const features = shape.slice(1).reduce<number>((product, size) => product * size!, 1);
    return [rows == null ? null : rows / this.parts, this.parts * features];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = oneTensor("mergeParts", inputs);
    const [batch, width] = this.computeOutputShape(x.shape) as [number, number];
    return tf.tidy(() => {
      const byPart = tf.reshape(x, [this.parts, batch, width / this.parts]);
      return tf.reshape(tf.transpose(byPart, [1, 0, 2]), [batch, width]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), parts: this.parts };
  }
}
tf.serialization.registerClass(MergeParts);

/**
 * Brings the features of an image's parts together again: [parts * batch, ...] with row p * batch + b -> [batch, parts * features], feature
 * p * features + f; each part's axes are flattened in row-major order. The other end of splitParts.
 * @throws RangeError when `parts` is not an integer of at least 1, or does not divide the batch axis.
 */
export function mergeParts(options: MergePartsOptions): tf.layers.Layer {
  return new MergeParts(options);
}
