// Updates of weights and of their average, in place by TensorFlow's own fused operations.
import type * as tf from "@tensorflow/tfjs";
import { checkShape } from "../check-kernel.ts";
import { scalar } from "./constants.ts";
import { attributes, type NodeBackend } from "./node-backend.ts";
import { replaceValue, updateInPlace } from "./variables.ts";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, number>;
  backend: NodeBackend;
}

/** v <- momentum v - lr g; theta <- theta + momentum v - lr g, with the new v. */
export function nesterov({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { variable, velocity, gradient } = inputs as Record<string, tf.Variable>;
  checkShape("GzNesterov", variable!.shape, { variable, velocity, gradient });
  const { binding } = backend;
  const attr = attributes(binding);
  const [g] = backend.getInputTensorIds([gradient!]) as [number];
  const lr = scalar(backend, attrs.learningRate!);
  const mu = scalar(backend, attrs.momentum!);
  updateInPlace(backend, [variable!, velocity!], ([theta, v]) =>
    binding.executeOp(
      "ResourceApplyKerasMomentum",
      [attr.float32("T"), attr.bool("use_locking", false), attr.bool("use_nesterov", true)],
      [theta!, v!, lr, g, mu],
      0,
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
  checkShape("GzAdamW", variable!.shape, { variable, m, v, gradient });
  const { learningRate, beta1, beta2, decay, power1, power2, epsilon } = adamwNumbers(attrs);
  const { binding } = backend;
  const attr = attributes(binding);
  const scalars = [power1, power2, learningRate, beta1, beta2, epsilon].map((value) =>
    scalar(backend, value),
  );
  const [g] = backend.getInputTensorIds([gradient!]) as [number];
  multiply(backend, variable!, decay);
  updateInPlace(backend, [variable!, m!, v!], (resources) =>
    binding.executeOp(
      "ResourceApplyAdam",
      [attr.float32("T"), attr.bool("use_locking", false), attr.bool("use_nesterov", false)],
      [...resources, ...scalars, g],
      0,
    ),
  );
  return [];
}

/** A new value beside the old one costs little memory up to this size. */
const SMALL = 2 ** 20;

/** One update of `GzAdamWAll`, see `GzAdamW`. */
type Update = Record<"variable" | "m" | "v" | "gradient", tf.Variable>;

/**
 * AdamW of a list of weights in one call, by the operation in native/cc/adamw.cc, which the addon brings with it, for the CPU;
 * large weights one by one and in place.
 */
export function adamwAll({
  attrs,
  backend,
}: {
  attrs: { updates: readonly Update[] } & Record<string, number>;
  backend: NodeBackend;
}): tf.TensorInfo[] {
  const { binding } = backend;
  const small: Update[] = [];
  for (const { variable, m, v, gradient } of attrs.updates)
    checkShape("GzAdamW", variable.shape, { variable, m, v, gradient });
  for (const inputs of attrs.updates)
    if (inputs.variable.size <= SMALL) small.push(inputs);
    else adamw({ inputs, attrs, backend });
  if (small.length === 0) return [];
  const { learningRate, beta1, beta2, decay, power1, power2, epsilon } = adamwNumbers(attrs);
  const rate = (learningRate * Math.sqrt(1 - power2)) / (1 - power1);
  const scalars = [decay, rate, 1 - beta1, 1 - beta2, epsilon].map((value) =>
    scalar(backend, value),
  );
  const old = (["variable", "m", "v"] as const).flatMap((name) => small.map((u) => u[name]));
  const gradients = small.map(({ gradient }) => gradient);
  const ids = backend.getInputTensorIds([...old, ...gradients]);
  const count = { name: "N", type: binding.TF_ATTR_INT, value: small.length };
  const updated = binding.executeOp("GzAdamW", [count], [...ids, ...scalars], old.length);
  for (const [i, native] of updated.entries()) replaceValue(backend, old[i]!, native);
  return [];
}

/** The same for one weight. */
export function ownAdamw({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const updates = [inputs as Update];
  return adamwAll({ attrs: { ...attrs, updates } as never, backend });
}

function adamwNumbers(attrs: Record<string, number>) {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs as Record<
    "learningRate" | "beta1" | "beta2" | "epsilon" | "weightDecay" | "step",
    number
  >;
  const [power1, power2] = [beta1 ** step, beta2 ** step];
  // TensorFlow adds epsilon to sqrt(v) before the bias correction.
  const scaled = epsilon * Math.sqrt(1 - power2);
  const decay = 1 - learningRate * weightDecay;
  return { learningRate, beta1, beta2, decay, power1, power2, epsilon: scaled };
}

/** average <- average + (1 - decay) (value - average) */
export function movingAverage({ inputs, attrs, backend }: Call): tf.TensorInfo[] {
  const { average, value } = inputs as Record<string, tf.Variable>;
  checkShape("GzMovingAverage", average!.shape, { average, value });
  const { binding } = backend;
  const attr = attributes(binding);
  const T = attr.float32("T");
  const operands = backend.getInputTensorIds([value!, average!]);
  const [difference] = binding.executeOp("Sub", [T], operands, 1);
  // A step of gradient descent subtracts: the factor is negative.
  const rate = scalar(backend, attrs.decay! - 1);
  try {
    updateInPlace(backend, [average!], ([resource]) =>
      binding.executeOp(
        "ResourceApplyGradientDescent",
        [T, attr.bool("use_locking", false)],
        [resource!, rate, difference!.id],
        0,
      ),
    );
  } finally {
    binding.deleteTensor(difference!.id);
  }
  return [];
}

/** variable <- factor variable */
function multiply(backend: NodeBackend, variable: tf.Variable, factor: number): void {
  if (factor === 1) return;
  const { binding } = backend;
  const inputs = [...backend.getInputTensorIds([variable]), scalar(backend, factor)];
  const [product] = binding.executeOp("Mul", [attributes(binding).float32("T")], inputs, 1);
  replaceValue(backend, variable, product!);
}
