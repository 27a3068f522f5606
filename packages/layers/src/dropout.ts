// Dropout whose mask is a function of (seed, step, element).
import * as tf from "@tensorflow/tfjs";
import { fillMask, LEVELS } from "./_dropout-mask.ts";
import {
  allLayers,
  checkInteger,
  type LayerArgs,
  type Model,
  oneShape,
  oneTensor,
} from "./_layer.ts";

/** Options of `dropout`. */
export interface DropoutOptions extends LayerArgs {
  /** Probability to drop an element, 0 <= rate < 1, in steps of 1 / 65,536. */
  rate: number;
  /** An integer of at least 0; give every dropout of a model another one. */
  seed: number;
}

class Dropout extends tf.layers.Layer {
  static className = "GzDropout";
  readonly rate: number;
  readonly seed: number;
  /** Set by setDropoutStep; until then training calls count themselves. */
  step: number | undefined;
  private calls = 0;

  constructor(options: DropoutOptions) {
    super(options);
    const { rate, seed } = options ?? {};
    if (!(rate >= 0 && Math.round(rate * LEVELS) < LEVELS))
      throw new RangeError(`dropout: expected a number in [0, 1) for rate but got ${rate}`);
    this.rate = rate;
    this.seed = checkInteger("dropout", "seed", seed, 0);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs?: { training?: boolean }): tf.Tensor {
    const x = oneTensor("dropout", inputs);
    if (!kwargs?.training || this.rate === 0) return x;
    // A fresh array each time: tf's cpu backend keeps it as the tensor, and the gradient will read it again.
    const { size, shape } = x;
    const draw = () => {
      const mask = new Float32Array(size);
      fillMask(mask, this.rate, this.seed, this.step ?? this.calls++);
      return mask;
    };
    return tf.tidy(() => tf.mul(x, drawnAnew(draw, shape)));
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape("dropout", inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }
}
tf.serialization.registerClass(Dropout);

/** A tensor of numbers that are other ones at each call; a backend that makes a graph of the calls is told so. */
function drawnAnew(draw: () => Float32Array, shape: number[]): tf.Tensor {
  const x = tf.tensor(draw(), shape);
  const kernel = tf.getKernel("GzDrawnAnew", tf.getBackend());
  kernel?.kernelFunc({ inputs: { x }, attrs: { draw } as never, backend: tf.backend() });
  return x;
}

/**
 * Inverted dropout (survivors are multiplied by 1 / (1 - rate), nothing to do at test time) whose mask is a function of (seed, step, element
 * index in the batch), computed in integer arithmetic: the same on every backend and machine, other at each step. Active in training calls
 * only (model.fit, or `{ training: true }`). The step is what `setDropoutStep` said last, or else the number of training calls so far.
 * @throws RangeError when `rate` is not in [0, 1), or `seed` is not an integer of at least 0.
 */
export function dropout(options: DropoutOptions): tf.layers.Layer {
  return new Dropout(options);
}

/**
 * Says which training step comes next, to every dropout of a model: call it before each step, and a run that is resumed at step n sees the
 * masks that the uninterrupted run saw. The step holds until it is set again. A model without dropout is left as it is.
 * @throws RangeError when `step` is not an integer of at least 0.
 */
export function setDropoutStep(model: Model, step: number): void {
  checkInteger("setDropoutStep", "step", step, 0);
  for (const layer of allLayers(model)) if (layer instanceof Dropout) layer.step = step;
}
