import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type Compiled, compile, type Memory, type Simd } from "./simd.ts";

/** The wasm backend as its kernels see it. */
export type Backend = BackendWasm;
/** A tensor as kernels take and give it: shape, dtype, and the number of its data. */
export type Info = tf.TensorInfo;
type Attributes = Record<string, unknown>;

/** A kernel's arguments, with the inputs and attributes that it declares. */
export interface Call<Inputs, Attrs = unknown> {
  inputs: Inputs;
  attrs: Attrs;
  backend: Backend;
}

/**
 * A float32 tensor's values on the wasm heap, not copied. Any allocation may grow the memory, after
 * which the view still reads the same bytes only in the threaded build: take views after the last one.
 */
export function floats(backend: Backend, tensor: Info): Float32Array {
  if (tensor.dtype !== "float32")
    throw new TypeError(`wasm kernel: expected a float32 tensor but got ${tensor.dtype}`);
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** Where a float32 tensor's values lie on the heap: what the functions of simd() take. */
export function address(backend: Backend, tensor: Info): number {
  if (tensor.dtype !== "float32")
    throw new TypeError(`wasm kernel: expected a float32 tensor but got ${tensor.dtype}`);
  return backend.dataIdMap.get(tensor.dataId).memoryOffset;
}

const compiled = new WeakMap<object, Compiled>();

/** The assembled inner loops, on this backend's memory. */
export function simd({ wasm }: Backend): Simd {
  return compiledFor(wasm).functions;
}

/** The same as a module for workers, with its memory. */
export function compiledFor(wasm: Backend["wasm"]): Compiled {
  let result = compiled.get(wasm);
  if (!result) {
    // Memory belongs to the module in the threaded build, to its exports in the other.
    const { wasmMemory, asm } = wasm as unknown as {
      wasmMemory?: Memory;
      asm: { memory: Memory };
    };
    result = compile(wasmMemory ?? asm.memory);
    compiled.set(wasm, result);
  }
  return result;
}

/** A new tensor on the heap, not filled. */
export function empty(backend: Backend, shape: readonly number[]): Info {
  return backend.makeOutput([...shape], "float32");
}

/** Gives tensors' data back to the heap. */
export function dispose(backend: Backend, ...tensors: Info[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

/** tfjs's kernel of this name, to call from the one that takes its place. */
export function replaced(kernelName: string): tf.KernelFunc {
  return tf.getKernel(kernelName, "wasm").kernelFunc;
}

/** Registers a kernel for wasm in place of tfjs's. */
export function register<Inputs, Attrs>(
  kernelName: string,
  kernel: (call: Call<Inputs, Attrs>) => Info | Info[],
): void {
  const registered = tf.getKernel(kernelName, "wasm");
  if (registered) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    // tfjs's set-up stays: other kernels may share what it binds.
    ...(registered?.setupFunc && { setupFunc: registered.setupFunc }),
    kernelFunc: kernel as unknown as tf.KernelFunc,
  });
}

/** Runs another kernel of the backend, without the engine's bookkeeping: dispose what it returns. */
export function run(backend: Backend, name: string, inputs: object, attrs: Attributes = {}): Info {
  const { kernelFunc } = tf.getKernel(name, "wasm");
  return kernelFunc({
    inputs: inputs as tf.NamedTensorInfoMap,
    attrs: attrs as tf.NamedAttrMap,
    backend,
  }) as Info;
}

/** The same values under another shape: shares the data, so it must not be disposed separately. */
export function as(tensor: Info, shape: readonly number[]): Info {
  return { dataId: tensor.dataId, dtype: tensor.dtype, shape: [...shape] };
}
