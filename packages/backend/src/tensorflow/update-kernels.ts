// Optimiser updates in one pass over the weights, by TensorFlow's own fused operations.
import type * as tf from "@tensorflow/tfjs";
import { attributes, type NodeBackend } from "./node-backend.ts";
import { updateInPlace } from "./variables.ts";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, number>;
  backend: NodeBackend;
}

/** v <- momentum v - lr g; theta <- theta + momentum v - lr g, with the new v. */
export function nesterov({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { variable, velocity, gradient } = inputs as Record<string, tf.Variable>;
  const attr = attributes(backend.binding);
  const [g] = backend.getInputTensorIds([gradient!]) as [number];
  withScalars(backend, [attrs.learningRate!, attrs.momentum!], ([lr, mu]) =>
    updateInPlace(backend, [variable!, velocity!], ([theta, v]) =>
      backend.binding.executeOp(
        "ResourceApplyKerasMomentum",
        [attr.float32("T"), attr.bool("use_locking", false), attr.bool("use_nesterov", true)],
        [theta!, v!, lr!, g, mu!],
        0,
      ),
    ),
  );
  return [];
}

/**
 * theta <- theta - lr weightDecay theta; then Adam with bias correction, epsilon as in PyTorch's AdamW:
 * theta <- theta - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon), t = step counted from 1.
 */
export function adamw({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { variable, m, v, gradient } = inputs as Record<string, tf.Variable>;
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs as Record<
    string,
    number
  >;
  const { binding } = backend;
  const attr = attributes(binding);
  const T = attr.float32("T");
  const power1 = beta1! ** step!;
  const power2 = beta2! ** step!;
  // TensorFlow adds epsilon to sqrt(v) before the bias correction.
  const scaledEpsilon = epsilon! * Math.sqrt(1 - power2);
  const keep = 1 - learningRate! * weightDecay!;
  const [g] = backend.getInputTensorIds([gradient!]) as [number];
  const scalars = [power1, power2, learningRate!, beta1!, beta2!, scaledEpsilon, keep];
  withScalars(backend, scalars, ([p1, p2, lr, b1, b2, eps, kept]) =>
    updateInPlace(backend, [variable!, m!, v!], ([theta, first, second]) => {
      if (keep !== 1) {
        const dtype = [attr.float32("dtype")];
        const [old] = binding.executeOp("ReadVariableOp", dtype, [theta!], 1);
        const [decayed] = binding.executeOp("Mul", [T], [old!.id, kept!], 1);
        binding.executeOp("AssignVariableOp", dtype, [theta!, decayed!.id], 0);
        binding.deleteTensor(old!.id);
        binding.deleteTensor(decayed!.id);
      }
      binding.executeOp(
        "ResourceApplyAdam",
        [T, attr.bool("use_locking", false), attr.bool("use_nesterov", false)],
        [theta!, first!, second!, p1!, p2!, lr!, b1!, b2!, eps!, g],
        0,
      );
    }),
  );
  return [];
}

/** Calls `work` with native scalars that are gone afterwards. */
function withScalars(
  { binding }: NodeBackend,
  values: readonly number[],
  work: (ids: number[]) => void,
): void {
  const ids = values.map((value) =>
    binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value)),
  );
  try {
    work(ids);
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
}
