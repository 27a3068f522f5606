// The wasm backend with threads in Node, and with the kernels that training needs.
import * as tf from "@tensorflow/tfjs";
import { BackendWasm, setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { registerConvolution } from "./conv.ts";
import { registerMatMul } from "./matmul.ts";
import { registerNetworkKernels } from "./network-kernels.ts";
import { settleThreads, startThreadedModule } from "./threads.ts";
import { registerUpdateKernels } from "./update-kernels.ts";

export interface WasmOptions {
  /** Threads for convolutions and matrix products, 1 to 8. */
  threads: number;
}

/**
 * Makes tfjs's wasm backend the current one, able to train, with so many threads. In Node it starts the
 * threaded SIMD build; if that does not start, the single-threaded one serves and `device` says why.
 */
export async function useWasm({
  threads,
}: WasmOptions): Promise<{ threads: number; device: string }> {
  if (!Number.isInteger(threads) || threads < 1 || threads > 8)
    throw new RangeError(`useWasm: expected 1 to 8 threads for threads but got ${threads}`);
  registerKernels();
  setThreadsCount(threads);
  const module = await startThreadedModule(threads);
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", () => new BackendWasm(module));
  await tf.setBackend("wasm");
  await settleThreads(module);
  return { threads: module.tfjs.getThreadsCount(), device: "wasm" };
}

let registered = false;

function registerKernels(): void {
  if (registered) return;
  registered = true;
  registerMatMul();
  registerConvolution();
  registerNetworkKernels();
  registerUpdateKernels();
}
