import type * as tf from "@tensorflow/tfjs";

/** The kernels of a network's first layer as pictures. */
export interface Filters {
  /** Pixels a side. */
  side: number;
  /** [side, side, 3] of 0..1, one a filter: a weight of 0 is mid-grey, a filter's largest is black or white. */
  pictures: Float32Array[];
}

/** The first square convolution over three colours; undefined for a network that begins otherwise. */
export function firstFilters(model: tf.LayersModel): Filters | undefined {
  for (const layer of model.layers)
    for (const weight of layer.getWeights()) {
      const [height, width, channels, count] = weight.shape;
      if (weight.rank !== 4 || height !== width || channels !== 3) continue;
      return { side: height!, pictures: filterPictures(weight.dataSync() as Float32Array, count!) };
    }
  return undefined;
}

/** @param kernel [side, side, 3, count] */
function filterPictures(kernel: Float32Array, count: number): Float32Array[] {
  return Array.from({ length: count }, (_, filter) => {
    const own = kernel.filter((_, i) => i % count === filter);
    const largest = own.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1;
    return own.map((weight) => 0.5 + weight / largest / 2);
  });
}
