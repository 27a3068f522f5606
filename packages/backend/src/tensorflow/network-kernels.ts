// Operations of the forward and backward pass that TensorFlow has in one piece and tfjs composes.
import type * as tf from "@tensorflow/tfjs";
import { checkChannels, checkShape } from "../check-kernel.ts";
import { attributes, type NodeBackend } from "./node-backend.ts";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, number>;
  backend: NodeBackend;
}

/** dx = dy where y > 0, else 0. */
export function reluGrad({ inputs, backend }: Call): tf.TensorInfo {
  const { dy, y } = inputs;
  checkShape("GzReluGrad", dy!.shape, { dy, y });
  return backend.executeSingleOutput(
    "ReluGrad",
    [attributes(backend.binding).float32("T")],
    [dy!, y!],
  );
}

/** Normalisation by the batch's own mean and variance over [N, H, W, C], and the moving ones after it. */
export function batchNorm({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { x, scale, offset, movingMean, movingVariance } = inputs;
  checkChannels("GzBatchNorm", { x: x! }, { scale, offset, movingMean, movingVariance });
  const { epsilon, momentum } = attrs;
  const share = attributes(backend.binding).float("exponential_avg_factor", 1 - momentum!);
  return backend.executeMultipleOutputs(
    "FusedBatchNormV3",
    [...normAttributes(backend, epsilon!), share],
    [x!, scale!, offset!, movingMean!, movingVariance!],
    6,
  );
}

/** Gradients of `batchNorm` by x, scale and offset. */
export function batchNormGrad({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { dy, x, scale, saved1, saved2, saved3 } = inputs;
  checkChannels("GzBatchNormGrad", { x: x!, dy: dy! }, { scale, saved1, saved2 });
  const [dx, dscale, doffset, ...unused] = backend.executeMultipleOutputs(
    "FusedBatchNormGradV3",
    normAttributes(backend, attrs.epsilon!),
    [dy!, x!, scale!, saved1!, saved2!, saved3!],
    5,
  );
  for (const tensor of unused) tensor.dispose();
  return [dx!, dscale!, doffset!];
}

/** `batchNorm` by the operation in native/cc/batch_norm.cc, which the addon brings with it, for the CPU. */
export function ownBatchNorm({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { x, scale, offset, movingMean, movingVariance } = inputs;
  checkChannels("GzBatchNorm", { x: x! }, { scale, offset, movingMean, movingVariance });
  const attr = attributes(backend.binding);
  return backend.executeMultipleOutputs(
    "GzBatchNorm",
    [attr.float("epsilon", attrs.epsilon!), attr.float("momentum", attrs.momentum!)],
    [x!, scale!, offset!, movingMean!, movingVariance!],
    5,
  );
}

/** Gradients of `ownBatchNorm` by x, scale and offset. */
export function ownBatchNormGrad({ inputs, backend }: Call): tf.TensorInfo[] {
  const { dy, x, scale, saved1, saved2 } = inputs;
  checkChannels("GzBatchNormGrad", { x: x!, dy: dy! }, { scale, saved1, saved2 });
  return backend.executeMultipleOutputs(
    "GzBatchNormGrad",
    [],
    [dy!, x!, scale!, saved1!, saved2!],
    3,
  );
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
