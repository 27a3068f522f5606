import * as tf from "@tensorflow/tfjs";

/**
 * Gives tf.relu a gradient that is one kernel where the backend has GzReluGrad (tfjs composes it of four).
 * It needs the output only, so the input can be freed; elsewhere, and of integers, the value is tfjs's own, dy step(x).
 */
export function registerReluGradient(): void {
  tf.registerGradient({
    kernelName: "Relu",
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGrad(dy as tf.Tensor, y!) }),
  });
  // For gradients of gradients.
  tf.registerGradient({
    kernelName: "GzReluGrad",
    inputsToSave: ["y"],
    gradFunc: (ddx, [y]) => ({
      dy: () => reluGrad(ddx as tf.Tensor, y!),
      y: () => tf.zerosLike(y!),
    }),
  });
}

function reluGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const fused = y.dtype === "float32" && tf.getKernel("GzReluGrad", tf.getBackend());
  if (!fused) return tf.mul(dy, tf.step(y));
  return tf.engine().runKernel("GzReluGrad", { dy, y }) as tf.Tensor;
}
