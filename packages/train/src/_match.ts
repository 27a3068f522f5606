import * as tf from "@tensorflow/tfjs";
import { show } from "./_check.ts";
import type { SavedState, TensorData } from "./state.ts";

/**
 * Pairs each variable with its saved tensor, or throws an error that names what does not fit; nothing is assigned yet.
 *
 * By name where all names agree. Layers that nobody named are numbered through the process (dense_Dense1, dense_Dense2),
 * so the same model built second has other names: then order decides, with shapes and the last part of the names checked.
 */
export function matchTensors(
  caller: string,
  variables: ReadonlyMap<string, tf.Variable>,
  saved: SavedState,
): [tf.Variable, TensorData][] {
  const names = [...variables.keys()];
  const savedNames = Object.keys(saved);
  const byName = names.every((name) => name in saved);
  if (names.length !== savedNames.length || (!byName && !names.every(sameKind))) {
    const missing = names.filter((name) => !(name in saved));
    const extra = savedNames.filter((name) => !variables.has(name));
    throw new Error(
      `${caller}: expected the model's ${names.length} weights but got ${savedNames.length}; missing: ${list(missing)}; not in the model: ${list(extra)}`,
    );
  }
  return names.map((name, i) => {
    const savedName = byName ? name : savedNames[i]!;
    const variable = variables.get(name)!;
    const tensor = saved[savedName]!;
    if (!tf.util.arraysEqual(variable.shape, tensor.shape) || variable.dtype !== tensor.dtype)
      throw new Error(
        `${caller}: expected ${variable.dtype} ${show(variable.shape)} for weight ${name} but got ${tensor.dtype} ${show(tensor.shape)} (${savedName})`,
      );
    return [variable, tensor];
  });

  function sameKind(name: string, i: number): boolean {
    return name.split("/").at(-1) === savedNames[i]!.split("/").at(-1);
  }
}

/** Puts the saved values into the variables, past any constraint, so that every bit is as it was. */
export function assignTensors(pairs: readonly [tf.Variable, TensorData][]): void {
  tf.tidy(() => {
    for (const [variable, { data, shape, dtype }] of pairs)
      variable.assign(tf.tensor(data, shape, dtype));
  });
}

const list = (names: string[]): string => {
  if (names.length === 0) return "none";
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
};
