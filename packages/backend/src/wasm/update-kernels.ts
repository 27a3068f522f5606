// Updates of weights and of their average, in one pass and in place on the heap.
import * as tf from "@tensorflow/tfjs";
import { checkShape } from "../check-kernel.ts";
import { address, type Backend, type Call, empty, floats, register, simd } from "./heap.ts";

/** Registers the optimisers' updates and the moving average. */
export function registerUpdateKernels(): void {
  register("GzNesterov", nesterov);
  register("GzAdamW", adamw);
  register("GzMovingAverage", movingAverage);
}

/** v <- momentum v - lr g; theta <- theta + momentum v - lr g, with the new v. */
function nesterov({
  inputs,
  attrs: { learningRate, momentum },
  backend,
}: Call<
  { variable: tf.Variable; velocity: tf.Variable; gradient: tf.Tensor },
  { learningRate: number; momentum: number }
>): [] {
  const { variable, velocity, gradient } = inputs;
  checkShape("GzNesterov", variable.shape, { variable, velocity, gradient });
  makeWritable(backend, [variable, velocity]);
  const [theta, v, g] = [variable, velocity, gradient].map((t) => address(backend, t));
  simd(backend).nesterov(theta, v, g, variable.size, learningRate, momentum);
  return [];
}

/**
 * theta <- theta - lr weightDecay theta; then Adam with bias correction:
 * theta <- theta - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon), t = step counted from 1.
 */
function adamw({
  inputs,
  attrs: { learningRate, beta1, beta2, epsilon, weightDecay, step },
  backend,
}: Call<
  { variable: tf.Variable; m: tf.Variable; v: tf.Variable; gradient: tf.Tensor },
  {
    learningRate: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
    step: number;
  }
>): [] {
  const { variable, m, v, gradient } = inputs;
  checkShape("GzAdamW", variable.shape, { variable, m, v, gradient });
  makeWritable(backend, [variable, m, v]);
  const [theta, first, second, g] = [variable, m, v, gradient].map((t) => address(backend, t));
  simd(backend).adamw(
    ...[theta, first, second, g, variable.size],
    ...[beta1, 1 - beta1, beta2, 1 - beta2],
    learningRate / (1 - beta1 ** step),
    Math.sqrt(1 - beta2 ** step),
    epsilon,
    1 - learningRate * weightDecay,
  );
  return [];
}

/** average <- average + (1 - decay) (value - average) */
function movingAverage({
  inputs: { average, value },
  attrs: { decay },
  backend,
}: Call<{ average: tf.Variable; value: tf.Tensor }, { decay: number }>): [] {
  checkShape("GzMovingAverage", average.shape, { average, value });
  makeWritable(backend, [average]);
  const [to, from] = [average, value].map((t) => address(backend, t));
  simd(backend).approach(to, from, average.size, 1 - decay);
  return [];
}

/** Lets the variables' values be changed where they lie. */
function makeWritable(backend: Backend, variables: tf.Variable[]): void {
  for (const variable of variables) {
    backend.dataIdMap.get(variable.dataId); // moves it here from another backend, which knows its clones
    // A clone shares the data and must keep the old values.
    if (backend.refCount(variable.dataId) > 1) assignCopy(backend, variable);
    // XNNPACK keeps weights as it packed them until it hears that the tensor is gone.
    const { id, memoryOffset } = backend.dataIdMap.get(variable.dataId);
    backend.wasm.tfjs.disposeData(id);
    backend.wasm.tfjs.registerTensor(id, variable.size, memoryOffset);
  }
}

function assignCopy(backend: Backend, variable: tf.Variable): void {
  const info = empty(backend, variable.shape);
  floats(backend, info).set(floats(backend, variable));
  const copy = tf.engine().makeTensorFromTensorInfo(info);
  variable.assign(copy);
  copy.dispose();
}
