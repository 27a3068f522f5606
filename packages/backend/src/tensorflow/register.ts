import * as tf from "@tensorflow/tfjs";
import { batchNorm, batchNormGrad, reluGrad } from "./network-kernels.ts";
import { adamw, nesterov } from "./update-kernels.ts";

/** Registers the fused kernels of the tensorflow backend. */
export function registerTensorflowKernels(): void {
  const kernels = {
    GzReluGrad: reluGrad,
    GzBatchNorm: batchNorm,
    GzBatchNormGrad: batchNormGrad,
    GzNesterov: nesterov,
    GzAdamW: adamw,
  };
  for (const [kernelName, kernelFunc] of Object.entries(kernels))
    if (!tf.getKernel(kernelName, "tensorflow"))
      tf.registerKernel({
        kernelName,
        backendName: "tensorflow",
        kernelFunc: kernelFunc as unknown as tf.KernelFunc,
      });
}
