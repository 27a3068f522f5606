import * as tf from "@tensorflow/tfjs";
import { maxPoolGrad } from "./max-pool-gradient.ts";
import { batchNorm, batchNormGrad, reluGrad } from "./network-kernels.ts";
import { nodeBackend } from "./node-backend.ts";
import { adamw, movingAverage, nesterov } from "./update-kernels.ts";

/** Registers the fused kernels of the tensorflow backend; `operations`: those that its addon brings. */
export function registerTensorflowKernels(operations: readonly string[]): void {
  const kernels = {
    GzReluGrad: reluGrad,
    GzBatchNorm: batchNorm,
    GzBatchNormGrad: batchNormGrad,
    GzNesterov: nesterov,
    GzAdamW: adamw,
    GzMovingAverage: movingAverage,
  };
  for (const [name, kernel] of Object.entries(kernels)) register(name, kernel);
  // Written for the CPU.
  if (operations.includes("GzMaxPoolGrad") && !nodeBackend().isUsingGpuDevice) {
    tf.unregisterKernel("MaxPoolGrad", "tensorflow");
    register("MaxPoolGrad", maxPoolGrad);
  }
}

function register(kernelName: string, kernel: unknown): void {
  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: kernel as tf.KernelFunc,
  });
}
