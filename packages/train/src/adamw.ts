import * as tf from "@tensorflow/tfjs";
import { checkFraction, checkNotNegative } from "./_check.ts";
import { createSlots } from "./_slots.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of `adamw`. */
export interface AdamWOptions {
  /** Decay of the gradients' running mean, in [0, 1); 0.9 if left out. */
  beta1?: number;
  /** Decay of the squared gradients' running mean, in [0, 1); 0.999 if left out. */
  beta2?: number;
  /** Added to the root of the running square, so that a weight with tiny gradients does not leap; 1e-8 if left out. */
  epsilon?: number;
  /** Fraction lr * weightDecay of a weight that goes at each step; 0.01 if left out. */
  weightDecay?: number;
  /** Which weights decay; left out, all but vectors, scalars (norms) and those of any shape that are called bias. */
  decays?(variable: tf.Variable): boolean;
}

interface Update {
  variable: tf.Variable;
  m: tf.Variable;
  v: tf.Variable;
  gradient: tf.Tensor;
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), step for step PyTorch's AdamW
 * where every weight has a gradient at every step (t counts the steps of all):
 *
 *     w <- w - lr weightDecay w
 *     m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2
 *     w <- w - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * Uses the kernel "GzAdamWAll" or "GzAdamW" of the current backend where there is one.
 */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
  checkFraction("adamw", "beta1", beta1);
  checkFraction("adamw", "beta2", beta2);
  checkNotNegative("adamw", "epsilon", epsilon);
  checkNotNegative("adamw", "weightDecay", weightDecay);
  const { decays = (variable) => variable.rank > 1 && !isBias(variable) } = options;
  const slots = createSlots("adamw", ["m", "v"]);
  let step = 0;

  function composed(
    { variable, m, v, gradient }: Update,
    learningRate: number,
    decay: number,
  ): void {
    tf.tidy(() => {
      m.assign(m.mul(beta1).add(gradient.mul(1 - beta1)));
      v.assign(v.mul(beta2).add(gradient.square().mul(1 - beta2)));
      const root = v
        .sqrt()
        .div(Math.sqrt(1 - beta2 ** step))
        .add(epsilon);
      const move = m.mul(learningRate / (1 - beta1 ** step)).div(root);
      const kept = decay > 0 ? variable.mul(1 - learningRate * decay) : variable;
      variable.assign(kept.sub(move));
    });
  }

  const reset = (): void => {
    slots.dispose();
    step = 0;
  };

  return {
    name: "adamw",
    apply(variables, gradients, learningRate) {
      const [ms, vs] = slots.of(variables);
      const [all, one] = ["GzAdamWAll", "GzAdamW"].map((name) =>
        tf.getKernel(name, tf.getBackend()),
      );
      const backend = tf.backend();
      step++;
      const updates = variables.flatMap((variable, i): Update[] => {
        const gradient = gradients[i];
        return gradient ? [{ variable, m: ms![i]!, v: vs![i]!, gradient }] : [];
      });
      const decaying: Update[] = [];
      const spared: Update[] = [];
      for (const update of updates) (decays(update.variable) ? decaying : spared).push(update);
      for (const [list, decay] of [[decaying, weightDecay] as const, [spared, 0] as const]) {
        const attrs = { learningRate, beta1, beta2, epsilon, weightDecay: decay, step };
        if (all)
          all.kernelFunc({ inputs: {}, attrs: { ...attrs, updates: list } as never, backend });
        else
          for (const update of list)
            if (one) one.kernelFunc({ inputs: { ...update }, attrs, backend });
            else composed(update, learningRate, decay);
      }
    },
    reset,
    state: () => ({ step, ...slots.state() }),
    restore({ step: saved, ...rest }) {
      if (!saved) throw new Error("adamw: expected step in the saved state but it is missing");
      slots.restore(rest);
      step = saved.data[0]!;
    },
    dispose: reset,
  };
}

/** By the name that layers give it, "conv1/bias", with a number where the process has several. */
function isBias({ name }: tf.Variable): boolean {
  return /(^|\/)bias(_\d+)?$/.test(name);
}
