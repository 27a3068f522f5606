// The life of a tf.Variable whose values are in a variable of TensorFlow's own.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { hasNative } from "../../test/has-native.ts";
import { useBackend } from "../use-backend.ts";
import { compile } from "./graph/compile.ts";
import { nodeBackend } from "./node-backend.ts";

/** theta <- theta - 1 (momentum 0, gradient 1, learning rate 1), and velocity <- -1. */
function step(
  variable: tf.Variable,
  velocity: tf.Variable,
  gradient: tf.Tensor = tf.onesLike(variable),
) {
  tf.getKernel("GzNesterov", "tensorflow").kernelFunc({
    inputs: { variable, velocity, gradient },
    attrs: { learningRate: 1, momentum: 0 },
    backend: tf.backend(),
  });
  gradient.dispose();
}

const make = (values: number[]) => tf.tidy(() => tf.variable(tf.tensor1d(values)));

describe.skipIf(!hasNative)("variables of TensorFlow's own", () => {
  beforeAll(() => useBackend({ prefer: "tensorflow", threads: 2 }));

  test("an update changes the values and makes no tensors", () => {
    const [theta, velocity] = [make([5, 6]), make([0, 0])];
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step(theta, velocity);
    expect([...theta.dataSync()]).toEqual([2, 3]);
    expect([...velocity.dataSync()]).toEqual([-1, -1]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([theta, velocity]);
    expect(tf.memory().numTensors).toBe(before - 2);
  });

  test("values assigned in between are taken over", () => {
    const [theta, velocity] = [make([5, 6]), make([0, 0])];
    step(theta, velocity);
    tf.tidy(() => theta.assign(tf.tensor1d([10, 20])));
    step(theta, velocity);
    expect([...theta.dataSync()]).toEqual([9, 19]);
    const sum = tf.tidy(() => tf.add(theta, 1));
    theta.assign(sum as tf.Tensor1D);
    step(theta, velocity);
    expect([...theta.dataSync()]).toEqual([9, 19]);
    expect([...sum.dataSync()]).toEqual([10, 20]);
  });

  test("clones and the tensor it was made of keep the old values", () => {
    const origin = tf.tensor1d([5, 6]);
    const [theta, velocity] = [tf.variable(origin), make([0, 0])];
    const clone = theta.clone();
    const flat = tf.reshape(theta, [2, 1]);
    step(theta, velocity);
    const later = theta.clone();
    step(theta, velocity);
    expect([...theta.dataSync()]).toEqual([3, 4]);
    expect([...later.dataSync()]).toEqual([4, 5]);
    for (const old of [origin, clone, flat]) expect([...old.dataSync()]).toEqual([5, 6]);
  });

  test("the caller's typed array is not written to", () => {
    const values = Float32Array.of(5, 6);
    const [theta, velocity] = [tf.tidy(() => tf.variable(tf.tensor1d(values))), make([0, 0])];
    step(theta, velocity);
    expect([...theta.dataSync()]).toEqual([4, 5]);
    expect([...values]).toEqual([5, 6]);
  });

  test("two variables may exchange their data", () => {
    const [a, b, velocity] = [make([1, 1]), make([100, 100]), make([0, 0])];
    step(a, velocity);
    const swap = () => {
      const { dataId } = a;
      a.dataId = b.dataId;
      b.dataId = dataId;
    };
    swap();
    step(a, velocity);
    expect([...a.dataSync(), ...b.dataSync()]).toEqual([99, 99, 0, 0]);
    swap();
    step(a, velocity);
    expect([...a.dataSync(), ...b.dataSync()]).toEqual([-1, -1, 99, 99]);
  });

  test("a failed update leaves the values as they were", () => {
    const [theta, velocity] = [make([5, 6]), make([0, 0])];
    step(theta, velocity);
    expect(() => step(theta, velocity, tf.ones([3]))).toThrow(
      "GzNesterov: expected float32 [2] for gradient but got float32 [3]",
    );
    const gone = make([0, 0]);
    gone.dispose();
    expect(() => step(theta, gone)).toThrow();
    expect([...theta.dataSync(), ...velocity.dataSync()]).toEqual([4, 5, -1, -1]);
  });

  test("a model's weights can be trained, set, saved and trained on", async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    model.setWeights([tf.tensor2d([5, 6], [2, 1]), tf.tensor1d([1])]);
    const kernel = model.trainableWeights[0]!.read() as tf.Variable;
    const velocity = tf.variable(tf.zeros([2, 1]));
    step(kernel, velocity);
    expect([...model.getWeights()[0]!.dataSync()]).toEqual([4, 5]);
    const saved = new Promise<tf.io.ModelArtifacts>((resolve) => {
      model.save(
        tf.io.withSaveHandler(async (artifacts) => {
          resolve(artifacts);
          return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
        }),
      );
    });
    expect([...new Float32Array((await saved).weightData as ArrayBuffer)]).toEqual([4, 5, 1]);
    model.setWeights([tf.tensor2d([50, 60], [2, 1]), tf.tensor1d([1])]);
    step(kernel, velocity);
    expect([...model.getWeights()[0]!.dataSync()]).toEqual([49, 59]);
    expect((model.predict(tf.ones([1, 2])) as tf.Tensor).dataSync()[0]).toBe(109);
  });

  test("dispose gives the memory back", () => {
    const rss = () => process.memoryUsage().rss / 2 ** 20;
    const once = () => {
      const [theta, velocity] = [1, 0].map((v) =>
        tf.tidy(() => tf.variable(tf.fill([2 ** 21], v))),
      );
      step(theta!, velocity!);
      tf.dispose([theta!, velocity!]);
    };
    for (let i = 0; i < 3; i++) once();
    const before = rss();
    for (let i = 0; i < 20; i++) once(); // 20 times 16 MiB
    expect(rss() - before).toBeLessThan(64);
  });

  test("the update is in place: no copy of the values is made", () => {
    const rss = () => process.memoryUsage().rss / 2 ** 20;
    const size = 2 ** 24; // 64 MB
    const [theta, velocity, gradient] = [1, 0, 2].map((v) =>
      tf.tidy(() => tf.variable(tf.fill([size], v))),
    );
    // TensorFlow's pool keeps what it once had, and nothing of this size was freed: a copy would stay visible.
    const before = rss();
    for (let i = 0; i < 3; i++) step(theta!, velocity!, gradient!.clone());
    expect(rss() - before).toBeLessThan(32);
    expect(tf.tidy(() => theta!.slice([size - 1]).dataSync()[0])).toBe(1 - 3 * 2);
    tf.dispose([theta!, velocity!, gradient!]);
  });

  test("what a graph gives a variable takes the place of an assigned value that nothing has read", () => {
    const backend = nodeBackend();
    const natives = () =>
      (backend.binding as unknown as { getNumOfTensors(): number }).getNumOfTensors();
    const total = make([1]);
    const { run, dispose } = compile({
      backend,
      attrs: {
        work: ([x]) => {
          total.assign(tf.tidy(() => tf.add(x!, 0)));
          return [tf.mul(x!, 2)];
        },
      },
    });
    const x = tf.tensor1d([6]);
    tf.dispose(run([x]));
    const before = natives();
    for (let i = 0; i < 3; i++) {
      tf.tidy(() => total.assign(tf.tensor1d([50])));
      tf.dispose(run([x]));
      expect([...total.dataSync()]).toEqual([6]);
      expect([...tf.tidy(() => tf.add(total, 0).dataSync())]).toEqual([6]);
    }
    expect(natives()).toBe(before);
    dispose();
    tf.dispose([x, total]);
  });
});
