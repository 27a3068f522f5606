// Operations of the forward and backward pass that TensorFlow has in one piece and tfjs composes.
import * as tf from "@tensorflow/tfjs";
import { attributes, type NodeBackend } from "./node-backend.ts";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, number>;
  backend: NodeBackend;
}

/** dx = dy where y > 0, else 0. */
export function reluGrad({ inputs, backend }: Call): tf.TensorInfo {
  const { dy, y } = inputs;
  return backend.executeSingleOutput(
    "ReluGrad",
    [attributes(backend.binding).float32("T")],
    [dy!, y!],
  );
}

/** Normalisation by the batch's own mean and variance over [N, H, W, C]. */
export function batchNorm({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { x, scale, offset } = inputs;
  const attr = attributes(backend.binding);
  const empty = tf.tensor1d([], "float32");
  const [y, mean, unbiased, ...saved] = backend.executeMultipleOutputs(
    "FusedBatchNormV3",
    [...normAttributes(backend, attrs.epsilon!), attr.float("exponential_avg_factor", 1)],
    [x!, scale!, offset!, empty, empty],
    6,
  );
  empty.dispose();
  const count = x!.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const variance = tf.mul(unbiased!, (count - 1) / count);
  unbiased!.dispose();
  return [y!, mean!, variance, ...saved];
}

/** Gradients of batchNorm by x, scale and offset. */
export function batchNormGrad({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { dy, x, scale, saved1, saved2, saved3 } = inputs;
  const [dx, dscale, doffset, ...unused] = backend.executeMultipleOutputs(
    "FusedBatchNormGradV3",
    normAttributes(backend, attrs.epsilon!),
    [dy!, x!, scale!, saved1!, saved2!, saved3!],
    5,
  );
  for (const tensor of unused) tensor.dispose();
  return [dx!, dscale!, doffset!];
}

function normAttributes({ binding }: NodeBackend, epsilon: number) {
  const attr = attributes(binding);
  return [
    attr.float32("T"),
    attr.float32("U"),
    attr.float("epsilon", epsilon),
    attr.string("data_format", "NHWC"),
    attr.bool("is_training", true),
  ];
}
