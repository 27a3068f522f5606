// tf.reshape and tf.cast. Layers and gradients call them whether or not there is anything to change, some forty times in a
// step of a small network, and a call of TensorFlow's takes longer than the work in it.
import type * as tf from "@tensorflow/tfjs";
import { shapeTensor } from "./constants.ts";
import { attributes, type NodeBackend } from "./node-backend.ts";

interface Call<Attrs> {
  inputs: { x: tf.TensorInfo };
  attrs: Attrs;
  backend: NodeBackend;
}

/** tfjs's kernel, but the same shape is the tensor itself, and TensorFlow is given a shape that it was given before. */
export function reshape(general: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const { inputs, attrs, backend } = call as unknown as Call<{ shape: number[] }>;
    const { x } = inputs;
    const { shape } = attrs;
    if (shape.length === x.shape.length && shape.every((size, i) => size === x.shape[i]))
      return shared(x, backend);
    if (x.dtype !== "float32") return general(call);
    const { binding } = backend;
    const types = [
      attributes(binding).float32("T"),
      { name: "Tshape", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
    ];
    const [id] = backend.getInputTensorIds([x]) as [number];
    const [native] = binding.executeOp("Reshape", types, [id, shapeTensor(backend, shape)], 1);
    return backend.createOutputTensor(native!);
  };
}

/** tfjs's kernel, but to the type that x has already is the tensor itself. */
export function cast(general: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const { inputs, attrs, backend } = call as unknown as Call<{ dtype: tf.DataType }>;
    return inputs.x.dtype === attrs.dtype ? shared(inputs.x, backend) : general(call);
  };
}

/** Another tensor of the same data, as tf.clone makes it. */
function shared(x: tf.TensorInfo, backend: NodeBackend): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}
