import * as tf from "@tensorflow/tfjs";
import { checkFraction, checkInteger } from "./_check.ts";
import { assignTensors, matchTensors } from "./_match.ts";
import { namedWeights } from "./named-weights.ts";
import type { SavedState, State } from "./state.ts";

/** Options of `weightAverage`. */
export interface WeightAverageOptions {
  /** Decay at each update, in [0, 1); 0.999 if left out. */
  decay?: number;
  /**
   * Take the weights in at every so many updates only, with the decay of all of them: the pass over the weights is paid
   * less often, and an average over 1,000 steps does not notice.
   */
  every?: number;
}

/** A moving average of a model's weights. */
export interface WeightAverage {
  /** Takes the model's current weights in; call it after each step. Throws while swapped in. */
  update(): void;
  /** Exchanges the model's weights and the average: once to evaluate the average, again to train on. No values are copied. */
  swap(): void;
  /** What a checkpoint has to keep. Throws while swapped in. */
  state(): State;
  /** Goes on from a kept state. */
  restore(saved: SavedState): void;
  /** Frees the tensors it holds. */
  dispose(): void;
}

/**
 * Exponential moving average of all weights of `model`, batch-norm statistics included:
 *
 *     average <- d average + (1 - d) weight,    d = min(decay, (1 + t) / (10 + t)) at the t-th update
 *
 * The warm-up d lets the average follow the fast first steps. `decay` in [0, 1), 0.999 averages about 1,000 steps.
 * Uses the kernel "GzMovingAverage" of the current backend where there is one.
 */
export function weightAverage(
  model: tf.LayersModel,
  { decay = 0.999, every = 1 }: WeightAverageOptions = {},
): WeightAverage {
  checkFraction("weightAverage", "decay", decay);
  checkInteger("weightAverage", "every", every, 1);
  const weights = namedWeights(model);
  // mul(1) copies: a clone would share its memory with the weight, which fused optimisers write into.
  const averages = new Map(
    [...weights].map(([name, weight]) => [name, tf.tidy(() => tf.variable(weight.mul(1), false))]),
  );
  let updates = 0;
  let swapped = false;

  const notSwapped = (method: string): void => {
    if (swapped)
      throw new Error(
        `weightAverage: expected ${method}() after a second swap() but the average is in the model`,
      );
  };

  function composed({ average, value }: { average: tf.Variable; value: tf.Tensor }, d: number) {
    tf.tidy(() => average.assign(average.add(value.sub(average).mul(1 - d))));
  }

  return {
    update() {
      notSwapped("update");
      updates++;
      if (updates % every !== 0) return;
      const d = Math.min(decay, (1 + updates) / (10 + updates)) ** every;
      const fused = tf.getKernel("GzMovingAverage", tf.getBackend());
      for (const [name, weight] of weights) {
        const inputs = { average: averages.get(name)!, value: weight };
        if (fused) fused.kernelFunc({ inputs, attrs: { decay: d }, backend: tf.backend() });
        else composed(inputs, d);
      }
    },
    swap() {
      tf.tidy(() => {
        for (const [name, weight] of weights) {
          const average = averages.get(name)!;
          const held = weight.clone();
          weight.assign(average);
          average.assign(held);
        }
      });
      swapped = !swapped;
    },
    state() {
      notSwapped("state");
      return { updates, ...Object.fromEntries(averages) };
    },
    restore({ updates: saved, ...tensors }) {
      notSwapped("restore");
      if (!saved)
        throw new Error("weightAverage: expected updates in the saved state but it is missing");
      assignTensors(matchTensors("weightAverage", averages, tensors));
      updates = saved.data[0]!;
    },
    dispose() {
      for (const average of averages.values()) average.dispose();
    },
  };
}
