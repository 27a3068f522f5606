// The threaded SIMD build of tfjs's wasm backend, started in Node. tfjs looks for browsers before it
// starts threads, so its glue code is run here with the few things it asks for: a `require` that reports
// enough processors, a `Worker` made from a string in place of a blob URL, and a `process` of its own.
// Nothing outside this module is changed and no file is written.

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

type WasmModule = BackendWasm["wasm"];
type Bind = (name: string, result: "number" | null, parameters: "number"[]) => unknown;
type Glue = (config: object) => Promise<WasmModule>;
interface Unrefable {
  unref(): void;
  terminate(): Promise<number>;
}
interface Pool {
  pthreads: Record<string, Unrefable>;
  unusedWorkers: Unrefable[];
}

const PACKAGE = "@tensorflow/tfjs-backend-wasm";
const GLUE = `${PACKAGE}/wasm-out/tfjs-backend-wasm-threaded-simd.js`;

/** Starts the threaded build with so many threads; its workers do not keep the process alive. */
export async function startThreadedModule(threads: number): Promise<WasmModule> {
  const { createRequire } = process.getBuiltinModule("node:module");
  const fs = process.getBuiltinModule("node:fs");
  const path = process.getBuiltinModule("node:path");
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const require = createRequire(import.meta.url);
  const file = require.resolve(GLUE);
  const { wasmWorkerContents } = require(`${GLUE.slice(0, -3)}.worker.js`) as {
    wasmWorkerContents: string;
  };
  // The contents were meant for a Blob, in which "\n" had become a newline.
  const workerSource = wasmWorkerContents.trim().replace(/\n/g, "\\n");
  const workers: InstanceType<typeof Worker>[] = [];
  class GlueWorker extends Worker {
    constructor() {
      super(workerSource, { eval: true });
      workers.push(this);
    }
  }

  // The build takes at most half of the processors it sees.
  const os = { cpus: () => ({ length: 2 * threads }) };
  const scope = {
    module: { exports: undefined as unknown as Glue },
    exports: {},
    require: (name: string): unknown => (name === "os" ? os : require(name)),
    __filename: file,
    __dirname: path.dirname(file),
    global: { performance },
    Worker: GlueWorker,
    process: {
      versions: process.versions,
      argv: [],
      hrtime: process.hrtime,
      on() {},
      exit: process.exit,
    },
  };
  new Function(...Object.keys(scope), fs.readFileSync(file, "utf8"))(...Object.values(scope));

  try {
    const module = await scope.module.exports({
      mainScriptUrlOrBlob: file,
      locateFile: (name: string) =>
        name.endsWith(".wasm") ? path.join(path.dirname(file), name) : name,
    });
    bindTfjs(module);
    return module;
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
}

/** Once the backend has taken its threads: spare workers end, the others let the process end. */
export async function settleThreads(module: WasmModule): Promise<void> {
  const pool = (module as unknown as { PThread: Pool }).PThread;
  const spare = pool.unusedWorkers.splice(0);
  for (const worker of Object.values(pool.pthreads)) worker.unref();
  await Promise.all(spare.map((worker) => worker.terminate()));
}

/** The functions that tfjs's own start binds before it makes a backend. */
function bindTfjs(module: WasmModule): void {
  const { cwrap } = module as unknown as { cwrap: Bind };
  const n = "number";
  Object.assign(module, {
    tfjs: {
      init: cwrap("init", null, []),
      initWithThreadsCount: cwrap("init_with_threads_count", null, [n]),
      getThreadsCount: cwrap("get_threads_count", n, []),
      registerTensor: cwrap("register_tensor", null, [n, n, n]),
      disposeData: cwrap("dispose_data", null, [n]),
      dispose: cwrap("dispose", null, []),
    },
  });
}
