// A tf.Variable's weights inside a variable of TensorFlow's own, so that TensorFlow's fused updates change
// them in place. tfjs-node knows a tensor by the number of its native tensor; around an update that number
// is given up (TensorFlow copies a buffer that anybody else holds) and afterwards taken from a fresh read,
// which shares the buffer and copies nothing.
import type * as tf from "@tensorflow/tfjs";
import { attributes, type NativeTensor, type NodeBackend } from "./node-backend.ts";

interface Resource {
  /** Native number of the handle of TensorFlow's variable. */
  handle: number;
  /** Native number of the tensor last read from it; numbers are never used twice. */
  value: number;
}

const resources = new WeakMap<tf.Variable, Resource>();
let made = 0;

/**
 * Calls `update` with the handles of the TensorFlow variables behind `variables` (float32), in which
 * it may change their values; the tf.Variables have the new values afterwards. The handles are
 * made at a variable's first update, take over a value that was assigned in between (loadWeights,
 * setWeights, assign) and end when the variable is disposed.
 */
export function updateInPlace(
  backend: NodeBackend,
  variables: readonly tf.Variable[],
  update: (handles: number[]) => void,
): void {
  // All of them before the first is let go of: one that is disposed throws here.
  const held = variables.map((variable) => ({
    variable,
    resource: currentResource(backend, variable),
  }));
  try {
    for (const { variable } of held) {
      const entry = backend.tensorMap.get(variable.dataId);
      if (entry.refCount === 1) release(backend, entry);
    }
    update(held.map(({ resource }) => resource.handle));
  } finally {
    for (const { variable, resource } of held) {
      const read = readResource(backend, resource.handle);
      resource.value = read.id;
      replaceValue(backend, variable, read);
    }
  }
}

/** Makes a native tensor, which nothing else may use, the variable's value. */
export function replaceValue(
  backend: NodeBackend,
  variable: tf.Variable,
  native: NativeTensor,
): void {
  const entry = backend.tensorMap.get(variable.dataId);
  if (entry.refCount === 1) {
    release(backend, entry);
    entry.id = native.id;
    entry.values = null; // an assigned value that was not needed natively yet would come before it
  } else {
    // A clone of the variable shares its entry and must keep the old value.
    const tensor = backend.createOutputTensor(native);
    variable.assign(tensor);
    tensor.dispose();
  }
}

function release({ binding }: NodeBackend, entry: { id: number }): void {
  if (entry.id >= 0) binding.deleteTensor(entry.id);
  entry.id = -1;
}

/** The variable's resource, holding the variable's present value. */
function currentResource(backend: NodeBackend, variable: tf.Variable): Resource {
  const [id] = backend.getInputTensorIds([variable]) as [number];
  let resource = resources.get(variable);
  if (!resource) {
    resource = { handle: createHandle(backend, variable.shape), value: -1 };
    resources.set(variable, resource);
    releaseOnDispose(backend, variable, resource);
  }
  if (resource.value !== id) {
    const dtype = [attributes(backend.binding).float32("dtype")];
    backend.binding.executeOp("AssignVariableOp", dtype, [resource.handle, id], 0);
    resource.value = id;
  }
  return resource;
}

function createHandle({ binding }: NodeBackend, shape: readonly number[]): number {
  const attr = attributes(binding);
  const attrs = [
    attr.float32("dtype"),
    attr.shape("shape", shape),
    attr.string("shared_name", `gz${made++}`),
    attr.string("container", ""),
  ];
  return binding.executeOp("VarHandleOp", attrs, [], 1)[0]!.id;
}

function readResource({ binding }: NodeBackend, handle: number): NativeTensor {
  return binding.executeOp(
    "ReadVariableOp",
    [attributes(binding).float32("dtype")],
    [handle],
    1,
  )[0]!;
}

function releaseOnDispose(
  { binding }: NodeBackend,
  variable: tf.Variable,
  { handle }: Resource,
): void {
  const dispose = variable.dispose;
  variable.dispose = function () {
    if (!this.isDisposed) {
      const ignore = [attributes(binding).bool("ignore_lookup_error", true)];
      binding.executeOp("DestroyResourceOp", ignore, [handle], 0);
      binding.deleteTensor(handle);
      resources.delete(this);
    }
    dispose.call(this);
  };
}
