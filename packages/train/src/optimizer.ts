import type * as tf from "@tensorflow/tfjs";
import type { SavedState, State } from "./state.ts";

/** An optimiser: changes weights in place, and keeps what it remembers from step to step in tensors of its own. */
export interface Optimizer {
  /** Written to checkpoints, so that one optimiser's memory is never given to another. */
  readonly name: string;
  /**
   * One update of `variables` in place. `gradients[i]` belongs to `variables[i]`; where it is undefined (the loss does
   * not depend on that weight) the weight stays. The variables must be the same, in the same order, at every call.
   * Throws a RangeError where they are not.
   */
  apply(
    variables: readonly tf.Variable[],
    gradients: readonly (tf.Tensor | undefined)[],
    learningRate: number,
  ): void;
  /** Forgets everything: the next step is a first step. */
  reset(): void;
  /** What a checkpoint has to keep. */
  state(): State;
  /** Goes on from a kept state. */
  restore(saved: SavedState): void;
  /** Frees the tensors it holds. */
  dispose(): void;
}
