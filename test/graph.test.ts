/** `compile` of @gz/train on TensorFlow: graphs against the work that they were made of. */
import { useBackend } from "@gz/backend";
import { batchNorm, dropout, setDropoutStep } from "@gz/layers";
import { compile, type Work } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { hasNative } from "../packages/backend/test/has-native.ts";

/** The values of tensors, which it disposes. */
function values(tensors: tf.Tensor[]): Float32Array[] {
  const read = tensors.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose(tensors);
  return read;
}

const batch = (seed: number, rows = 6): [tf.Tensor, tf.Tensor] => [
  tf.randomNormal([rows, 8, 8, 3], 0, 1, "float32", seed),
  tf.randomUniform([rows, 5], 0, 1, "float32", seed + 1),
];

let seed = 0;
/** Convolutions, pooling, batch normalisation and dropout. */
function network() {
  const { conv2d, maxPooling2d, flatten, dense, activation } = tf.layers;
  const kernelInitializer = () => tf.initializers.heNormal({ seed: ++seed });
  const model = tf.sequential({
    layers: [
      conv2d({
        inputShape: [8, 8, 3],
        filters: 7,
        kernelSize: 3,
        kernelInitializer: kernelInitializer(),
      }),
      batchNorm(),
      activation({ activation: "relu" }),
      maxPooling2d({ poolSize: 2, strides: 2 }),
      flatten(),
      dropout({ rate: 0.5, seed: 1 }),
      dense({ units: 5, activation: "sigmoid", kernelInitializer: kernelInitializer() }),
    ],
  });
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const metric: { kept?: tf.Tensor } = {};
  /** The loss and its gradients; twice the loss is also kept beside, as a metric would be. */
  const work: Work = ([xs, ys]) => {
    const { value, grads } = tf.variableGrads(() => {
      const predictions = model.apply(xs!, { training: true }) as tf.Tensor;
      const error = tf.losses.meanSquaredError(ys!, predictions);
      metric.kept?.dispose();
      metric.kept = tf.keep(tf.mul(error, 2));
      return error as tf.Scalar;
    }, weights);
    return [value, ...weights.map(({ name }) => grads[name]!)];
  };
  /** The moving mean and variance. */
  const moving = () =>
    model.layers[1]!.getWeights()
      .slice(2)
      .map((tensor) => [...tensor.dataSync()]);
  return { model, weights, metric, work, moving };
}

/** What tfjs-node's addon holds. */
const binding = () =>
  (
    tf.backend() as unknown as {
      binding: { getNumOfTensors(): number; getNumOfSavedModels(): number };
    }
  ).binding;
const natives = () => binding().getNumOfTensors();
const sessions = () => binding().getNumOfSavedModels();

describe.skipIf(!hasNative)("compile", () => {
  beforeAll(() => useBackend({ prefer: "tensorflow", threads: 2 }));
  afterAll(() => tf.setBackend("cpu"));

  test("gives the loss, the gradients and the moving averages of the work, for other batches, shapes, weights and masks", () => {
    const { model, weights, metric, work, moving } = network();
    const norm = model.layers[1]!;
    const graph = compile(work);
    for (let step = 0; step < 5; step++) {
      setDropoutStep(model, step);
      for (const weight of weights) weight.assign(weight.mul(0.9));
      const given = batch(10 * step, step < 3 ? 6 : 4);
      const before = norm.getWeights().map((tensor) => tensor.clone());
      const ours = values(graph.run(given));
      const moved = moving();
      const twice = metric.kept!.dataSync()[0]!;
      norm.setWeights(before);
      const { kept } = metric;
      delete metric.kept; // the graph's
      const theirs = values(work(given));
      metric.kept!.dispose();
      metric.kept = kept!;
      for (const [i, value] of theirs.entries())
        expect(ours[i]!).toBeAllClose(value, { rtol: 1e-4, atol: 1e-6 });
      expect(moved.flat()).toBeAllClose(moving().flat(), { rtol: 1e-5 });
      expect(twice).toBeCloseTo(2 * theirs[0]![0]!, 5);
    }
    graph.dispose();
  });

  test("gives the same bytes again, and its gradients agree with finite differences", () => {
    const { model, weights, work } = network();
    setDropoutStep(model, 3);
    const given = batch(5);
    const graph = compile(work);
    const first = values(graph.run(given));
    expect(values(graph.run(given))).toEqual(first);
    const bias = weights.at(-1)!;
    const at = bias.dataSync().slice() as Float32Array;
    const slopes = Array.from(at, (_, i) => {
      const loss = (h: number) => {
        const moved = at.slice();
        moved[i]! += h;
        bias.assign(tf.tensor1d(moved));
        return values(graph.run(given))[0]![0]!;
      };
      return (loss(1e-2) - loss(-1e-2)) / 2e-2;
    });
    expect(first.at(-1)!).toBeAllClose(slopes, { rtol: 2e-3, atol: 1e-6 });
    graph.dispose();
  });

  test("keeps no memory, and gives its own back", () => {
    const { model, work } = network();
    setDropoutStep(model, 0);
    const given = batch(7);
    const before = sessions();
    const graph = compile(work);
    values(graph.run(given));
    const [tensors, native] = [tf.memory().numTensors, natives()];
    for (let i = 0; i < 20; i++) values(graph.run(given));
    expect([tf.memory().numTensors, natives()]).toEqual([tensors, native]);
    expect(sessions()).toBe(before + 1);
    graph.dispose();
    expect(sessions()).toBe(before);
    values(graph.run(given)); // made anew
    graph.dispose();
  });

  test("work that makes a variable is done as ever, each call once", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    let sum: tf.Variable | undefined;
    const adding = compile(([x]) =>
      tf.tidy(() => {
        sum ??= tf.variable(tf.scalar(0));
        sum.assign(tf.add(sum, tf.sum(x!)));
        return [tf.mul(sum, 1)];
      }),
    );
    const x = tf.tensor1d([1, 1]);
    expect([0, 1, 2].map(() => values(adding.run([x]))[0]![0])).toEqual([2, 4, 6]);
    expect(warn.mock.calls).toEqual([
      ["GzCompile: goes operation by operation, there is no graph: it makes a variable"],
    ]);
    warn.mockRestore();
    tf.dispose([x, sum!]);
  });

  test("a variable that is written and not read takes what the graph gives, whatever was assigned", () => {
    const total = tf.variable(tf.scalar(1));
    const writing = compile(([x]) => {
      tf.tidy(() => total.assign(tf.sum(x!)));
      return [tf.mul(x!, 2)];
    });
    const x = tf.tensor1d([1, 2]);
    values(writing.run([x]));
    expect(total.dataSync()[0]).toBe(3);
    tf.tidy(() => total.assign(tf.scalar(50)));
    const later = tf.tensor1d([3, 3]);
    const { numTensors } = tf.memory();
    values(writing.run([later]));
    expect(total.dataSync()[0]).toBe(6);
    expect(tf.tidy(() => tf.add(total, 0).dataSync()[0])).toBe(6);
    expect(tf.memory().numTensors).toBe(numTensors);
    writing.dispose();
    tf.dispose([x, later, total]);
  });

  test("what cannot be a graph is done as ever, after a warning", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const weight = tf.variable(tf.tensor1d([1, 2]));
    const x = tf.tensor1d([3, 4]);
    const { numTensors } = tf.memory();
    const readsBack = compile(([x]) => [
      tf.tidy(() => {
        const product = tf.mul(weight, x!);
        return tf.add(product, product.dataSync()[0]!);
      }),
    ]);
    const notComputed = compile(([x]) => [tf.tensor1d([5, 6]), tf.mul(weight, x!)]);
    for (let i = 0; i < 2; i++) {
      expect(values(readsBack.run([x])).map((array) => [...array])).toEqual([[6, 11]]);
      expect(values(notComputed.run([x])).map((array) => [...array])).toEqual([
        [5, 6],
        [3, 8],
      ]);
    }
    const because = "GzCompile: goes operation by operation, there is no graph:";
    expect(warn.mock.calls).toEqual([
      [`${because} it reads back what it computed`],
      [`${because} a result, or a value assigned to a variable, is not computed`],
    ]);
    warn.mockRestore();
    expect(tf.memory().numTensors).toBe(numTensors);
    const fails = compile(() => {
      throw new Error("the work's own");
    });
    expect(() => fails.run([x])).toThrow("the work's own");
    // The backend goes on as before.
    expect([...tf.mul(x, 2).dataSync()]).toEqual([6, 8]);
    tf.dispose([weight, x]);
  });
});
