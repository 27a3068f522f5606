import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { leaked, reload, reloadError, wave } from "../test/helpers.ts";
import { untiedBias } from "./untied-bias.ts";

beforeAll(() => tf.setBackend("cpu"));

test("adds another bias at every position and channel, the same to every example", () => {
  const layer = untiedBias();
  layer.build([null, 2, 2, 3]);
  layer.setWeights([tf.range(0, 12).reshape([2, 2, 3])]);
  const y = layer.apply(tf.fill([2, 2, 2, 3], 100)) as tf.Tensor;
  const once = Array.from({ length: 12 }, (_, i) => 100 + i);
  expect([...y.dataSync()]).toEqual([...once, ...once]);
});

test("its gradient is dy for the input and the sum over examples for the bias", () => {
  const layer = untiedBias();
  layer.build([null, 3, 2]);
  const bias = layer.trainableWeights[0]!.read() as tf.Variable;
  const [x, w] = [wave([4, 3, 2]), wave([4, 3, 2], 99)];
  const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, w)), [bias]);
  expect(grads[bias.name]!.dataSync()).toBeAllClose(tf.sum(w, 0).dataSync());
  expect(
    tf
      .grad((t) => tf.sum(tf.mul(layer.apply(t) as tf.Tensor, w)))(x)
      .dataSync(),
  ).toBeAllClose(w.dataSync());
});

test("survives saving with its initializer, and leaks nothing", async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 2, kernelSize: 2, useBias: false, inputShape: [4, 4, 1] }),
      untiedBias({ initializer: tf.initializers.constant({ value: 0.1 }) }),
    ],
  });
  expect(model.countParams()).toBe(4 * 2 + 9 * 2);
  expect(await reloadError(model, wave([2, 4, 4, 1]))).toBe(0);
  const again = await reload(model);
  expect(again.layers[1]!.getConfig().initializer).toEqual({
    className: "Constant",
    config: { value: 0.1 },
  });
  expect(again.layers[1]!.getWeights()[0]!.dataSync()).toBeAllClose(new Array(18).fill(0.1));
  const x = wave([2, 4, 4, 1]);
  expect(leaked(50, () => (model.apply(x) as tf.Tensor).dispose())).toBe(0);
});

test("says what is wrong", () => {
  expect(() => untiedBias().apply(tf.input({ shape: [null, 3] }))).toThrow(
    "untiedBias: expected an input shape with every axis after the batch known but got [null,null,3]",
  );
  expect(() => untiedBias({ initializer: "zeros" as never })).toThrow(
    'untiedBias: expected one of tf.initializers, e.g. tf.initializers.zeros(), for initializer but got "zeros"',
  );
});
