/** What the two kinds of network share while they are built. */
import * as tf from "@tensorflow/tfjs";

/** How a layer's weights start: normal with this standard deviation, and a constant bias. */
export interface Start {
  std: number | "he";
  bias: number | "mean-label";
}

/** Puts a layer on top of a value; with a `start`, initialize() draws its weights. */
export type Apply = (
  layer: tf.layers.Layer,
  value: tf.SymbolicTensor | tf.SymbolicTensor[],
  start?: Start,
) => tf.SymbolicTensor;

/** Options of a convolution without bias. */
export interface ConvolutionOptions {
  name: string;
  filters: number;
  kernelSize: number;
  strides: number;
  padding?: "valid" | "same";
}

/**
 * A tf.layers.conv2d without bias. Nobody asks for the gradient by the images, with which the first one is fed, but
 * tf.layers.conv2d makes it all the same: its fused operation hands out both gradients at once. `ofImages` has the layer
 * call tf.conv2d, which makes each when it is asked for; a saved model has the layer as it always was.
 */
export function convolution(options: ConvolutionOptions, ofImages: boolean): tf.layers.Layer {
  const layer = tf.layers.conv2d({ ...options, useBias: false, kernelInitializer: "zeros" });
  const { strides, padding = "valid" } = options;
  if (ofImages)
    layer.call = (inputs) => {
      const [images] = [inputs].flat() as [tf.Tensor4D];
      const [kernel] = layer.weights;
      return tf.conv2d(images, kernel!.read() as tf.Tensor4D, strides, padding);
    };
  return layer;
}
