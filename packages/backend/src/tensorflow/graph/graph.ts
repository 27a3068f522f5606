// A piece of work as one graph of TensorFlow's. A third of a small network's step goes by on the way from one operation to
// the next: tfjs's engine, the addon, a thread that has to wake up. A graph is prepared once, its operations fused where
// they can be, and goes from one to the next by itself, to several at a time where they do not need each other.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { NativeTensor, NodeBackend } from "../node-backend.ts";
import { replaceValue } from "../variables.ts";
import { type Feed, record, TAG } from "./recorder.ts";

/** From tensors to tensors, by tf operations. */
export type Work = (given: readonly tf.Tensor[]) => tf.Tensor[];

export interface Graph {
  /** What the work returns, for tensors of the shapes that the graph was made with. */
  run: Work;
  dispose(): void;
}

/** There is no graph. */
export interface Refusal {
  refused: string;
  result: tf.Tensor[];
}

/** A result of the graph that takes the place of what the work replaced. */
interface Effect {
  name: string | undefined;
  set(native: NativeTensor): void;
}

/**
 * The graph of `work`, made from one call that leaves all variables as they were. Each run reads what it is given, the
 * tf.Variables and what GzDrawnAnew was told of, and sets the variables that the work assigns to and the tensors that it
 * keeps. All else that the work reads is a constant from then on, and what it does besides computing with tensors is not
 * done again. `refused` says why there is no graph; the one call then counts, `result` being what it returned.
 */
export function graphOf(
  backend: NodeBackend,
  work: Work,
  given: readonly tf.Tensor[],
): Graph | Refusal {
  const registered = { ...tf.engine().registeredVariables };
  const before = Object.values(registered)
    .filter(({ dataId }) => backend.tensorMap.has(dataId))
    .map((variable) => ({ variable, value: variable.clone() }));
  let counts = false;
  try {
    const variables = before.map(({ variable }) => variable);
    const { result, model, feeds, made, nameOf, refused } = record(
      backend,
      feedsOf(backend, given, variables),
      () => work(given),
    );
    const names = result.map(({ dataId }) => nameOf(dataId));
    const refuse = (reason: string): Refusal => {
      counts = true;
      return { refused: reason, result };
    };
    if (refused) return refuse(refused);
    if (Object.keys(tf.engine().registeredVariables).some((name) => !(name in registered)))
      return refuse("it makes a variable");
    const effects: Effect[] = [];
    for (const { variable, value } of before)
      if (variable.dataId !== value.dataId)
        effects.push({
          name: nameOf(variable.dataId),
          set: (native) => replaceValue(backend, variable, native),
        });
    const assigned = new Set(variables.map(({ dataId }) => dataId));
    for (const dataId of new Set(made))
      if (nameOf(dataId) !== undefined && !assigned.has(dataId))
        effects.push({
          name: nameOf(dataId),
          set: (native) => replaceData(backend, dataId, native),
        });
    const outputs = [...names, ...effects.map(({ name }) => name)];
    if (outputs.includes(undefined))
      return refuse("a result, or a value assigned to a variable, is not computed");
    const session = load(backend, model);
    if (typeof session !== "number") return refuse(session.refused);
    tf.dispose(result);

    const { binding } = backend;
    const inputNames = feeds.map(({ name }) => `${name}:0`).join();
    const outputNames = outputs.join();
    return {
      run(given) {
        const ids = feeds.map(({ feed }) => feed.current(given));
        const natives = binding.runSavedModel(session, ids, inputNames, outputNames);
        for (const [i, { feed }] of feeds.entries()) if (feed.own) binding.deleteTensor(ids[i]!);
        for (const [i, { set }] of effects.entries()) set(natives[names.length + i]!);
        return natives.slice(0, names.length).map((native) => backend.createOutputTensor(native));
      },
      dispose: () => binding.deleteSavedModel(session),
    };
  } finally {
    for (const { variable, value } of before) {
      if (!counts && variable.dataId !== value.dataId) variable.assign(value);
      value.dispose();
    }
  }
}

/** What a run reads anew, by the native numbers of today. */
function feedsOf(
  backend: NodeBackend,
  given: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
): Map<number, Feed> {
  const numberOf = (tensor: tf.Tensor) => backend.getInputTensorIds([tensor])[0]!;
  const feed = (tensor: tf.Tensor, current: Feed["current"]): [number, Feed] => [
    numberOf(tensor),
    { shape: tensor.shape, dtype: backend.tensorMap.get(tensor.dataId).dtype, current },
  ];
  return new Map([
    ...variables.map((variable) => feed(variable, () => numberOf(variable))),
    ...given.map((tensor, i) => feed(tensor, (tensors) => numberOf(tensors[i]!))),
  ]);
}

/** Puts a native tensor in the place of a tensor's data; where the tensor is gone it goes too. */
function replaceData(
  { binding, tensorMap }: NodeBackend,
  dataId: tf.DataId,
  native: NativeTensor,
): void {
  const entry = tensorMap.has(dataId) ? tensorMap.get(dataId) : native;
  binding.deleteTensor(entry.id);
  entry.id = native.id;
  if ("values" in entry) entry.values = null;
}

/** The number of a session, or why TensorFlow does not take the graph. Saved models are read from files only. */
function load({ binding }: NodeBackend, model: Uint8Array): number | { refused: string } {
  const folder = mkdtempSync(join(tmpdir(), "gz-graph-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), model);
    return binding.loadSavedModel(folder, TAG);
  } catch (error) {
    return { refused: (error as Error).message };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
