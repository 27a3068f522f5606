import * as tf from "@tensorflow/tfjs";
import { compile } from "./graph/compile.ts";
import { drawnAnew } from "./graph/recorder.ts";
import { maxPoolGrad } from "./max-pool-gradient.ts";
import {
  batchNorm,
  batchNormGrad,
  ownBatchNorm,
  ownBatchNormGrad,
  reluGrad,
} from "./network-kernels.ts";
import { nodeBackend } from "./node-backend.ts";
import { cast, reshape } from "./shape-kernels.ts";
import { adamw, adamwAll, movingAverage, nesterov, ownAdamw } from "./update-kernels.ts";

/** Registers the fused kernels of the tensorflow backend; `operations`: those that its addon brings. */
export function registerTensorflowKernels(operations: readonly string[]): void {
  // Ours are written for the CPU.
  const cpu = !nodeBackend().isUsingGpuDevice;
  const own = (name: string) => cpu && operations.includes(name);
  registerBatchNorm(own("GzBatchNorm"));
  const kernels = {
    GzReluGrad: reluGrad,
    GzNesterov: nesterov,
    GzAdamW: own("GzAdamW") ? ownAdamw : adamw,
    ...(own("GzAdamW") && { GzAdamWAll: adamwAll }),
    GzMovingAverage: movingAverage,
    GzDrawnAnew: drawnAnew,
    // A session's inputs and results lie in the host's memory.
    ...(cpu && { GzCompile: compile }),
  };
  for (const [name, kernel] of Object.entries(kernels)) register(name, kernel);
  if (own("GzMaxPoolGrad")) replace("MaxPoolGrad", () => maxPoolGrad);
  replace("Reshape", reshape);
  replace("Cast", cast);
}

/** Batch normalisation by the addon's own operations, or by TensorFlow's. */
export function registerBatchNorm(own: boolean): void {
  const kernels = own
    ? { GzBatchNorm: ownBatchNorm, GzBatchNormGrad: ownBatchNormGrad }
    : { GzBatchNorm: batchNorm, GzBatchNormGrad: batchNormGrad };
  for (const [name, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(name, "tensorflow")) tf.unregisterKernel(name, "tensorflow");
    register(name, kernel);
  }
}

/** Registers a kernel in place of tfjs's, of which it is made. */
function replace(name: string, make: (general: tf.KernelFunc) => unknown): void {
  const { kernelFunc } = tf.getKernel(name, "tensorflow");
  tf.unregisterKernel(name, "tensorflow");
  register(name, make(kernelFunc));
}

function register(kernelName: string, kernel: unknown): void {
  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: kernel as tf.KernelFunc,
  });
}
