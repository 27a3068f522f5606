import * as tf from "@tensorflow/tfjs";
import type { NodeBackend } from "./node-backend.ts";

interface Call {
  inputs: { dy: tf.TensorInfo; input: tf.TensorInfo; output: tf.TensorInfo };
  attrs: {
    filterSize: [number, number] | number;
    strides: [number, number] | number;
    pad: Parameters<typeof tf.backend_util.computePool2DInfo>[4];
    dimRoundingMode?: "floor" | "round" | "ceil";
  };
  backend: NodeBackend;
}

/** tfjs's MaxPoolGrad by the operation in native/cc/max_pool_grad.cc, which the addon brings with it. */
export function maxPoolGrad({ inputs, attrs, backend }: Call): tf.TensorInfo {
  const { dy, input, output } = inputs;
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const shape = input.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const window = [
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
  const attr = { name: "window", type: backend.binding.TF_ATTR_INT, value: window };
  return backend.executeSingleOutput("GzMaxPoolGrad", [attr], [input, output, dy]);
}
