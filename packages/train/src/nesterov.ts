import * as tf from "@tensorflow/tfjs";
import { checkFraction } from "./_check.ts";
import { createSlots } from "./_slots.ts";
import type { Optimizer } from "./optimizer.ts";

interface Update {
  variable: tf.Variable;
  velocity: tf.Variable;
  gradient: tf.Tensor;
}

/**
 * Stochastic gradient descent with Nesterov momentum, learning rate inside the velocity (the form of Theano and Keras):
 *
 *     v <- momentum v - lr g
 *     w <- w + momentum v - lr g          (with the new v)
 *
 * `momentum` in [0, 1), 0.9 if left out. Uses the kernel "GzNesterov" of the current backend where there is one.
 */
export function nesterov({ momentum = 0.9 }: { momentum?: number } = {}): Optimizer {
  checkFraction("nesterov", "momentum", momentum);
  const slots = createSlots("nesterov", ["velocity"]);

  function composed({ variable, velocity, gradient }: Update, learningRate: number): void {
    tf.tidy(() => {
      const push = gradient.mul(learningRate);
      const next = velocity.mul(momentum).sub(push);
      velocity.assign(next);
      variable.assign(variable.add(next.mul(momentum).sub(push)));
    });
  }

  return {
    name: "nesterov",
    apply(variables, gradients, learningRate) {
      const [velocities] = slots.of(variables);
      const fused = tf.getKernel("GzNesterov", tf.getBackend());
      for (const [i, variable] of variables.entries()) {
        const gradient = gradients[i];
        if (!gradient) continue;
        const inputs = { variable, velocity: velocities![i]!, gradient };
        if (fused)
          fused.kernelFunc({ inputs, attrs: { learningRate, momentum }, backend: tf.backend() });
        else composed(inputs, learningRate);
      }
    },
    reset: slots.dispose,
    state: slots.state,
    restore: slots.restore,
    dispose: slots.dispose,
  };
}
