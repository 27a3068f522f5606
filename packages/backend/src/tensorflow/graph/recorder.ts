// Notes the operations that a piece of work has TensorFlow do, as the nodes of a graph. The work runs as ever: only the
// backend's way to the addon is another one for as long as it lasts.
import type * as tf from "@tensorflow/tfjs";
import type { NativeTensor, NodeBackend } from "../node-backend.ts";
import { type Messages, messages } from "./messages.ts";

/** A tensor that a graph is given at each run. */
export interface Feed {
  shape: readonly number[];
  dtype: number;
  /** Its native number for this run. */
  current(given: readonly tf.Tensor[]): number;
  /** Whether that number is the graph's, to be deleted after the run. */
  own?: boolean;
}

/** What was noted of a piece of work. */
export interface Recording<T> {
  result: T;
  /** saved_model.pb, under the tag `TAG`. */
  model: Uint8Array;
  /** In the order of the graph's placeholders. */
  feeds: readonly NamedFeed[];
  /** Data of all results, gone or still there. */
  made: readonly tf.DataId[];
  /** The graph's name of a result by its data; undefined for what is none, or gone. */
  nameOf(dataId: tf.DataId): string | undefined;
  /** Why the graph would not do what the work did. */
  refused: string | undefined;
}

interface NamedFeed {
  feed: Feed;
  name: string;
}

/** The tag of our saved models. */
export const TAG = "gz";

/** Set while a recording lasts. */
let recorder: { drawn(x: tf.TensorInfo, draw: () => Float32Array): void } | undefined;

/**
 * The kernel GzDrawnAnew: says of a float32 tensor that its numbers are other ones each time, `draw` being where they come
 * from. Without a recording that is of no interest to anybody.
 */
export function drawnAnew(call: {
  inputs: { x: tf.TensorInfo };
  attrs: { draw: () => Float32Array };
}): [] {
  recorder?.drawn(call.inputs.x, call.attrs.draw);
  return [];
}

/**
 * Calls `work` and notes what it does with tensors: those of `feeds` (by native number) are given anew at each run, all
 * others that it did not make are constants.
 */
export function record<T>(
  backend: NodeBackend,
  feeds: ReadonlyMap<number, Feed>,
  work: () => T,
): Recording<T> {
  const { binding } = backend;
  const build = messages(backend);
  const nodes: ReturnType<Messages["node"]>[] = [];
  const fed = new Map<number, NamedFeed>();
  const drawn = new Map<number, Feed>();
  /** Names of constants and of results. */
  const names = new Map<number, string>();
  const results = new Set<number>();
  const made: tf.DataId[] = [];
  let refused: string | undefined;

  function nameOfInput(id: number): string {
    const known = names.get(id) ?? fed.get(id)?.name;
    if (known !== undefined) return known;
    const feed = feeds.get(id) ?? drawn.get(id);
    if (feed) {
      const name = `fed${fed.size}`;
      fed.set(id, { feed, name });
      nodes.push(build.placeholder(name, feed));
      return name;
    }
    const name = `constant${names.size}`;
    names.set(id, name);
    const constant = read(binding, id);
    if (constant) nodes.push(build.constant(name, constant.tensor, constant.bytes));
    else refused ??= "it uses a constant that is neither numbers nor booleans";
    return name;
  }

  const noting: typeof binding = {
    ...functionsOf(binding),
    executeOp(op, attrs, inputs, outputs) {
      const name = `node${nodes.length}`;
      const node = build.node(op, name, inputs.map(nameOfInput), attrs);
      const natives = binding.executeOp(op, attrs, inputs, outputs);
      nodes.push(node);
      natives.forEach(({ id }, i) => {
        names.set(id, `${name}:${i}`);
        results.add(id);
      });
      return natives;
    },
    tensorDataSync(id) {
      if (results.has(id)) refused ??= "it reads back what it computed";
      return binding.tensorDataSync(id);
    },
  };
  const createOutputTensor = backend.createOutputTensor;
  backend.binding = noting;
  backend.createOutputTensor = (native: NativeTensor) => {
    const tensor = createOutputTensor.call(backend, native);
    made.push(tensor.dataId);
    return tensor;
  };
  recorder = {
    drawn(x, draw) {
      const [id] = backend.getInputTensorIds([x]) as [number];
      const current = () => binding.createTensor([...x.shape], binding.TF_FLOAT, draw());
      drawn.set(id, { shape: x.shape, dtype: binding.TF_FLOAT, current, own: true });
    },
  };
  let result: T;
  try {
    result = work();
  } finally {
    recorder = undefined;
    backend.createOutputTensor = createOutputTensor;
    backend.binding = binding;
  }
  return {
    result,
    model: build.savedModel(nodes, TAG),
    feeds: [...fed.values()],
    made,
    nameOf(dataId) {
      if (!backend.tensorMap.has(dataId)) return undefined;
      const { id } = backend.tensorMap.get(dataId);
      return results.has(id) ? names.get(id) : undefined;
    },
    refused,
  };
}

/** The addon's own object cannot be changed. */
function functionsOf(binding: NodeBackend["binding"]): NodeBackend["binding"] {
  const entries = Object.getOwnPropertyNames(binding).map((name) => {
    const value = binding[name as keyof typeof binding] as unknown;
    return [name, typeof value === "function" ? value.bind(binding) : value];
  });
  return Object.fromEntries(entries);
}

/** A native tensor's numbers or booleans, its shape and type; undefined where it holds something else. */
function read(binding: NodeBackend["binding"], id: number) {
  const values = binding.tensorDataSync(id);
  const dtype = (
    [
      [Float32Array, binding.TF_FLOAT],
      [Int32Array, binding.TF_INT32],
      [Uint8Array, binding.TF_BOOL],
    ] as const
  ).find(([array]) => values instanceof array)?.[1];
  if (dtype === undefined) return undefined;
  // Of the tensor itself only the number is known; a result's shape is told.
  const type = [{ name: "T", type: binding.TF_ATTR_TYPE, value: dtype }];
  const [copy] = binding.executeOp("Identity", type, [id], 1);
  binding.deleteTensor(copy!.id);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { tensor: { shape: copy!.shape, dtype }, bytes };
}
