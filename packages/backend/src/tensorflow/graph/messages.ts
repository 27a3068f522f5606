// TensorFlow's protocol buffers as far as a graph needs them. tfjs-node has the classes, made by protoc for reading saved
// models, and no types for them. https://www.tensorflow.org/guide/saved_model
import { createRequire } from "node:module";
import { join } from "node:path";
import { findTfjsNode } from "../../native/tfjs-node.ts";
import type { NodeBackend, OpAttr } from "../node-backend.ts";

/** A message of protoc's: a class with a setter for each field. */
// biome-ignore lint/suspicious/noExplicitAny: tfjs-node has no types for them.
type Message = any;

/** A tensor but for its numbers. */
interface TensorType {
  shape: readonly number[];
  /** TF_FLOAT, TF_INT32, … */
  dtype: number;
}

/** Makes the messages of a graph. */
export interface Messages {
  /** An operation, its inputs as names of nodes or NAME:RESULT. */
  node(op: string, name: string, inputs: readonly string[], attrs: readonly OpAttr[]): Message;
  /** A node that holds a tensor's numbers. */
  constant(name: string, tensor: TensorType, bytes: Uint8Array): Message;
  /** A node that is given a tensor at each run. */
  placeholder(name: string, tensor: TensorType): Message;
  /** The file saved_model.pb of a graph. */
  savedModel(nodes: readonly Message[], tag: string): Uint8Array;
}

/** The format of the graphs that we write: that of TensorFlow 2.16, which later ones read. */
const PRODUCER = 1766;

export function messages({ binding }: Pick<NodeBackend, "binding">): Messages {
  const pb: Message = createRequire(join(findTfjsNode()!, "package.json"))(
    "./dist/proto/api_pb.js",
  );
  const shapeOf = (shape: readonly number[]): Message => {
    const message = new pb.TensorShape();
    for (const size of shape) message.addDim().setSize(size);
    return message;
  };

  /** The field that holds an attribute of each type. */
  const fields = new Map([
    [binding.TF_ATTR_STRING, "S"],
    [binding.TF_ATTR_INT, "I"],
    [binding.TF_ATTR_FLOAT, "F"],
    [binding.TF_ATTR_BOOL, "B"],
    [binding.TF_ATTR_TYPE, "Type"],
    [binding.TF_ATTR_SHAPE, "Shape"],
  ]);

  /** An attribute as the addon takes it. */
  function attrValue({ type, value }: OpAttr): Message {
    const field = fields.get(type)!;
    const message = new pb.AttrValue();
    if (field === "Shape") message.setShape(shapeOf(value as number[]));
    else if (field === "S") message.setS(Buffer.from(value as string));
    else if (Array.isArray(value)) {
      const list = new pb.AttrValue.ListValue();
      list[`set${field}List`](value);
      message.setList(list);
    } else message[`set${field}`](value);
    return message;
  }

  function node(
    op: string,
    name: string,
    inputs: readonly string[],
    attrs: readonly OpAttr[],
  ): Message {
    const message = new pb.NodeDef();
    message.setOp(op);
    message.setName(name);
    message.setInputList([...inputs]);
    for (const attr of attrs) message.getAttrMap().set(attr.name, attrValue(attr));
    return message;
  }

  const typed = (name: string, value: number): OpAttr => ({
    name,
    type: binding.TF_ATTR_TYPE,
    value,
  });

  return {
    node,
    constant(name, { shape, dtype }, bytes) {
      const tensor = new pb.Tensor();
      tensor.setDtype(dtype);
      tensor.setTensorShape(shapeOf(shape));
      tensor.setTensorContent(bytes);
      const value = new pb.AttrValue();
      value.setTensor(tensor);
      const message = node("Const", name, [], [typed("dtype", dtype)]);
      message.getAttrMap().set("value", value);
      return message;
    },
    placeholder(name, { shape, dtype }) {
      const attr = { name: "shape", type: binding.TF_ATTR_SHAPE, value: [...shape] };
      return node("Placeholder", name, [], [typed("dtype", dtype), attr]);
    },
    savedModel(nodes, tag) {
      const model = new pb.SavedModel();
      model.setSavedModelSchemaVersion(1);
      const meta = model.addMetaGraphs(new pb.MetaGraphDef());
      const info = new pb.MetaGraphDef.MetaInfoDef();
      info.addTags(tag);
      meta.setMetaInfoDef(info);
      const graph = new pb.GraphDef();
      graph.setNodeList([...nodes]);
      const versions = new pb.VersionDef();
      versions.setProducer(PRODUCER);
      graph.setVersions(versions);
      meta.setGraphDef(graph);
      return model.serializeBinary();
    },
  };
}
