import * as tf from "@tensorflow/tfjs";

/** An attribute of a TensorFlow operation. */
export interface OpAttr {
  name: string;
  type: number;
  value: unknown;
}

/** A native tensor, as the addon describes it. */
export interface NativeTensor {
  id: number;
  shape: number[];
  dtype: number;
}

/** What the addon offers and we use; tensors are numbered. */
interface Binding {
  TF_Version: string;
  TF_FLOAT: number;
  TF_INT32: number;
  TF_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_STRING: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_INT: number;
  TF_ATTR_SHAPE: number;
  executeOp(name: string, attrs: OpAttr[], inputs: number[], outputs: number): NativeTensor[];
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView;
  /** The number of a session on the graph of a saved model with this tag. */
  loadSavedModel(folder: string, tag: string): number;
  /** `inputNames` and `outputNames`: NODE:RESULT each, with commas between. */
  runSavedModel(
    session: number,
    inputs: number[],
    inputNames: string,
    outputNames: string,
  ): NativeTensor[];
  deleteSavedModel(session: number): void;
}

/** tfjs-node's record of a tensor's data. `values` are set until they are first needed natively. */
interface Entry {
  id: number;
  shape: number[];
  dtype: number;
  values: unknown;
  refCount: number;
}

/** tfjs-node's backend object; it exports no type for it. */
export interface NodeBackend extends tf.KernelBackend {
  binding: Binding;
  isUsingGpuDevice: boolean;
  tensorMap: { has(dataId: tf.DataId): boolean; get(dataId: tf.DataId): Entry };
  incRef(dataId: tf.DataId): void;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(native: NativeTensor): tf.Tensor;
  executeSingleOutput(name: string, attrs: OpAttr[], inputs: readonly tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attrs: OpAttr[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

/** The tensorflow backend, which must have been loaded. */
export const nodeBackend = (): NodeBackend => tf.findBackend("tensorflow") as NodeBackend;

/** Builders of the attributes that our kernels set. */
export function attributes(binding: Binding): {
  float32: (name: string) => OpAttr;
  float: (name: string, value: number) => OpAttr;
  string: (name: string, value: string) => OpAttr;
  bool: (name: string, value: boolean) => OpAttr;
  shape: (name: string, value: readonly number[]) => OpAttr;
} {
  return {
    float32: (name) => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }),
    float: (name, value) => ({ name, type: binding.TF_ATTR_FLOAT, value }),
    string: (name, value) => ({ name, type: binding.TF_ATTR_STRING, value }),
    bool: (name, value) => ({ name, type: binding.TF_ATTR_BOOL, value }),
    shape: (name, value) => ({ name, type: binding.TF_ATTR_SHAPE, value }),
  };
}
