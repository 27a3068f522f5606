// The wasm backend of tfjs with threads, in Node and in pages, and with the kernels that training needs.
import * as tf from "@tensorflow/tfjs";
import { BackendWasm, getThreadsCount, setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { registerReluGradient } from "../relu-gradient.ts";
import { registerConvolution } from "./conv.ts";
import { type Backend, simd } from "./heap.ts";
import { registerMatMul } from "./matmul.ts";
import { registerNetworkKernels } from "./network-kernels.ts";
import { isNode } from "./node.ts";
import { registerPooling } from "./pool.ts";
import { registerReverse } from "./reverse.ts";
import { registerSegmentSum } from "./segment-sum.ts";
import { startTeam } from "./team.ts";
import { settleThreads, startThreadedModule } from "./threads.ts";
import { registerUpdateKernels } from "./update-kernels.ts";

export interface WasmOptions {
  /** Threads for convolutions and matrix products, 1 to 8. */
  threads: number;
}

/**
 * Makes tfjs's wasm backend the current one, able to train. In Node it starts the threaded build; where that does not
 * start the single-threaded one serves, and `device` says why. A wasm backend that already runs goes on with the threads
 * it has. In a browser `setWasmPaths` of @tensorflow/tfjs-backend-wasm must have said where its files are, and threads
 * need a page that is isolated (crossOriginIsolated), so that memory can be shared. Throws a RangeError for a bad thread
 * count, an Error if wasm does not start at all or has no SIMD.
 */
export async function useWasm({
  threads,
}: WasmOptions): Promise<{ threads: number; device: string }> {
  if (!Number.isInteger(threads) || threads < 1 || threads > 8)
    throw new RangeError(`useWasm: expected 1 to 8 threads for threads but got ${threads}`);
  registerKernels();
  setThreadsCount(threads);
  if (!tf.findBackend("wasm"))
    threadsMissing = await (isNode() ? startInNode(threads) : startInPage(threads));
  if (!(await tf.setBackend("wasm")))
    throw new Error("useWasm: expected tfjs's wasm backend to start but it did not");
  try {
    simd(tf.backend() as Backend);
  } catch (error) {
    throw new Error("useWasm: expected WebAssembly SIMD but this machine has none", {
      cause: error,
    });
  }
  return { threads: getThreadsCount(), device: `WebAssembly SIMD${threadsMissing}` };
}

/** What to add to the device's name where threads were wanted and are not there. */
let threadsMissing = "";

async function startInNode(threads: number): Promise<string> {
  try {
    const module = await startThreadedModule(threads);
    if (tf.findBackendFactory("wasm")) tf.removeBackend("wasm");
    tf.registerBackend("wasm", () => new BackendWasm(module));
    await tf.setBackend("wasm");
    await settleThreads(module);
    await startTeam(module, threads);
    return "";
  } catch (error) {
    return ` without threads (${(error as Error).message})`;
  }
}

/** tfjs starts its own threads in a page; like its build in Node for at most half of the processors it sees. */
async function startInPage(threads: number): Promise<string> {
  const { navigator } = globalThis as unknown as { navigator: object };
  const seen = { value: 2 * threads, configurable: true };
  Object.defineProperty(navigator, "hardwareConcurrency", seen);
  try {
    if (!(await tf.setBackend("wasm")) || threads === 1) return "";
    if (getThreadsCount() === 1) return " without threads (the page is not isolated)";
    await startTeam((tf.backend() as Backend).wasm, getThreadsCount());
    return "";
  } catch (error) {
    return ` without all threads (${(error as Error).message})`;
  } finally {
    Reflect.deleteProperty(navigator, "hardwareConcurrency");
  }
}

let registered = false;

function registerKernels(): void {
  if (registered) return;
  registered = true;
  registerMatMul();
  registerConvolution();
  registerPooling();
  registerNetworkKernels();
  registerReverse();
  registerSegmentSum();
  registerUpdateKernels();
  registerReluGradient();
}
