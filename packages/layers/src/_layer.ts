// What every layer here needs: types that tfjs does not export, unpacking of its unions, gradients by hand, a walk over a model.
import * as tf from "@tensorflow/tfjs";

/** What any tf.layers layer takes: name, trainable, inputShape or batchInputShape for the first layer of a model. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

/** What tf.initializers.zeros() and its siblings return. */
export type Initializer = ReturnType<typeof tf.initializers.zeros>;

/** Anything with layers: tf.sequential, tf.model, tf.loadLayersModel. */
export type Model = Pick<tf.LayersModel, "layers">;

/** The only input of a layer that takes one. */
export function oneTensor(name: string, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length !== 1)
    throw new TypeError(`${name}: expected one input tensor but got ${inputs.length}`);
  return inputs[0]!;
}

/** The shape of the only input. */
export function oneShape(name: string, shape: tf.Shape | tf.Shape[]): tf.Shape {
  if (!Array.isArray(shape[0])) return shape as tf.Shape;
  if (shape.length !== 1)
    throw new TypeError(`${name}: expected one input tensor but got ${shape.length}`);
  return shape[0];
}

/** The last axis, which has to be known before the weights can be made. */
export function lastAxis(name: string, shape: tf.Shape): number {
  const size = shape.at(-1);
  if (shape.length < 2 || size == null)
    throw new RangeError(
      `${name}: expected an input shape with a batch axis and a known last axis but got ${show(shape)}`,
    );
  return size;
}

/** A value as it reads in an error message. */
export function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** `value` when it is an integer of at least `least`, otherwise a RangeError that says so. */
export function checkInteger(where: string, what: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(
      `${where}: expected an integer of at least ${least} for ${what} but got ${value}`,
    );
  return value;
}

type Save = (tensors: tf.Tensor[]) => void;

/**
 * A function of `inputs` with a gradient written by hand. `forward` sees the tensors through its closure and saves what `backward` needs;
 * `backward` returns one gradient per input. Inside either nothing is recorded on the gradient tape.
 */
export function withGradient(
  inputs: tf.Tensor[],
  forward: (save: Save) => tf.Tensor,
  backward: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  return tf.customGrad((...args) => ({
    value: forward(args.at(-1) as Save),
    gradFunc: backward,
  }))(...inputs);
}

/** Whether operations run on a GPU, where Sum is fast, and where TensorFlow may round what matMul multiplies to ten bits (TensorFloat-32). */
export function onGpu(): boolean {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  return isUsingGpuDevice === true || /^webg(l|pu)$/.test(tf.getBackend());
}

/** [N, M] -> [M]. On CPUs a product with ones: Sum over a leading axis takes 2.5 (tensorflow) to 20 (cpu) times as long. */
export function sumRows(x: tf.Tensor): tf.Tensor {
  return onGpu() ? tf.sum(x, 0) : tf.reshape(tf.matMul(tf.ones([1, x.shape[0]!]), x), [-1]);
}

/** Every layer of a model, those of nested models and inside wrappers (timeDistributed, bidirectional) included. */
export function* allLayers(model: Model): Generator<tf.layers.Layer> {
  for (const layer of model.layers) {
    yield layer;
    if ("layers" in layer) yield* allLayers(layer as unknown as Model);
    // A bidirectional layer works with two copies of the one that it was given.
    const wrapper = layer as { layer?: unknown; forwardLayer?: unknown; backwardLayer?: unknown };
    const inner = wrapper.forwardLayer
      ? [wrapper.forwardLayer, wrapper.backwardLayer]
      : wrapper.layer
        ? [wrapper.layer]
        : [];
    yield* allLayers({ layers: inner as tf.layers.Layer[] });
  }
}

/** An initializer as part of a layer's config. */
export function initializerConfig(initializer: Initializer): tf.serialization.ConfigDict {
  return { className: initializer.getClassName(), config: initializer.getConfig() };
}

/** An initializer from what the caller gave, or from what `initializerConfig` wrote into a saved model. */
export function toInitializer(
  where: string,
  what: string,
  value: Initializer | tf.serialization.ConfigDict,
): Initializer {
  if (typeof value?.apply === "function") return value as Initializer;
  const { className, config } = (value ?? {}) as { className?: string; config?: object };
  const known = tf.serialization.SerializationMap.getMap().classNameMap[className ?? ""];
  if (!known)
    throw new TypeError(
      `${where}: expected one of tf.initializers, e.g. tf.initializers.zeros(), for ${what} but got ${show(value)}`,
    );
  return known[1](known[0], config as tf.serialization.ConfigDict) as Initializer;
}
