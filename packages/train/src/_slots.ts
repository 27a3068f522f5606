import * as tf from "@tensorflow/tfjs";
import { show } from "./_check.ts";
import type { SavedState, State } from "./state.ts";

/** An optimiser's memory: for each of `kinds` one tf.Variable per weight, zeros until the first update. */
export interface Slots {
  /** [kind][weight]; made on the first call, checked against the weights on every later one. */
  of(variables: readonly tf.Variable[]): tf.Variable[][];
  state(): State;
  restore(saved: SavedState): void;
  dispose(): void;
}

/** Memory for the optimiser of this name, none of it made yet. */
export function createSlots(optimizer: string, kinds: readonly string[]): Slots {
  let slots: tf.Variable[][] | undefined;

  function check(variables: readonly tf.Variable[], made: tf.Variable[][]): void {
    const first = made[0]!;
    if (variables.length !== first.length)
      throw new RangeError(
        `${optimizer}: expected the ${first.length} weights of the earlier steps but got ${variables.length}; reset() starts afresh`,
      );
    variables.forEach((variable, i) => {
      if (!tf.util.arraysEqual(variable.shape, first[i]!.shape))
        throw new RangeError(
          `${optimizer}: expected shape ${show(first[i]!.shape)} for weight ${i} (${variable.name}), as in the earlier steps, but got ${show(variable.shape)}; reset() starts afresh`,
        );
    });
  }

  const dispose = (): void => {
    for (const variable of slots?.flat() ?? []) variable.dispose();
    slots = undefined;
  };

  return {
    of(variables) {
      if (slots) check(variables, slots);
      else
        slots = tf.tidy(() =>
          kinds.map(() => variables.map(({ shape }) => tf.variable(tf.zeros(shape), false))),
        );
      return slots;
    },
    state: () =>
      Object.fromEntries(
        kinds.flatMap((kind, k) =>
          (slots?.[k] ?? []).map((variable, i) => [`${kind}/${i}`, variable]),
        ),
      ),
    restore(saved) {
      const count = Object.keys(saved).length / kinds.length;
      const read = kinds.map((kind) =>
        Array.from({ length: count }, (_, i) => {
          const tensor = saved[`${kind}/${i}`];
          if (!tensor)
            throw new Error(
              `${optimizer}: expected ${kinds.join(" and ")} of each weight in the saved state but ${kind}/${i} is missing`,
            );
          return tensor;
        }),
      );
      dispose();
      if (count > 0)
        slots = tf.tidy(() =>
          read.map((tensors) =>
            tensors.map(({ data, shape, dtype }) =>
              tf.variable(tf.tensor(data, shape, dtype), false),
            ),
          ),
        );
    },
    dispose,
  };
}
