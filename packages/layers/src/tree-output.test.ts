import * as tf from "@tensorflow/tfjs";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import golden from "../test/fixtures/golden.json" with { type: "json" };
import winner from "../test/fixtures/winner.json" with { type: "json" };
import { gradients, KAGGLE, leaked, reload, reloadError, SUMMED, wave } from "../test/helpers.ts";
import type { Question } from "./_tree.ts";
import { setTreeMode, treeOutput } from "./tree-output.ts";

beforeAll(() => tf.setBackend("cpu"));

const TREES = { kaggle: KAGGLE, summed: SUMMED };
const apply = (layer: tf.layers.Layer, z: tf.Tensor): tf.Tensor => layer.apply(z) as tf.Tensor;
const row = (f: (i: number) => number): tf.Tensor2D =>
  tf.tensor2d([Array.from({ length: 37 }, (_, i) => f(i))]);

describe("the winner's output layer", () => {
  test("gives his probabilities", () => {
    const y = apply(
      treeOutput({ tree: KAGGLE }),
      row((i) => 0.5 + 0.4 * Math.cos(i)),
    );
    expect(y.dataSync()).toBeAllClose(winner.alive, { rtol: 0, atol: 1e-7 });
  });

  test("leaves a dead question and everything below it at 0", () => {
    const y = apply(
      treeOutput({ tree: KAGGLE }),
      row((i) => Math.sin(i + 1)),
    );
    expect(y.dataSync()).toBeAllClose(winner.dead, { rtol: 0, atol: 1e-7 });
  });

  test("has no gradient, and no NaN, where all questions are dead", () => {
    const layer = treeOutput({ tree: KAGGLE });
    for (const level of [0, -1, -1e30]) {
      const g = tf.grad((z) => tf.sum(tf.mul(apply(layer, z), 1e6)))(tf.fill([2, 37], level));
      expect([...g.dataSync()]).toEqual(new Array(74).fill(0));
    }
  });
});

for (const { tree, normalize, y, dz } of golden.trees)
  test(`${tree}, ${normalize}: values and gradients are PyTorch's`, () => {
    const layer = treeOutput({ tree: TREES[tree as "kaggle"], normalize: normalize as "softmax" });
    const columns = layer.computeOutputShape([8, y.length / 8]) as number[];
    const z = wave(columns, 50, 1.5, 0.5);
    expect(apply(layer, z).dataSync()).toBeAllClose(y, { rtol: 1e-6, atol: 1e-7 });
    const g = tf.grad((t) => tf.sum(tf.mul(apply(layer, t), wave(columns, 11))))(z);
    expect(g.dataSync()).toBeAllClose(dz, { rtol: 1e-5, atol: 1e-6 });
  });

test("where TensorFlow uses a GPU, the sums that avoid matMul give the same", () => {
  const z = wave([8, 37], 50, 1.5, 0.5);
  const run = (): Float32Array[] => {
    const layer = treeOutput({ tree: KAGGLE });
    return [apply(layer, z), tf.grad((t) => apply(layer, t))(z)].map(
      (t) => t.dataSync() as Float32Array,
    );
  };
  const expected = run();
  const backend = tf.backend() as { isUsingGpuDevice?: boolean };
  backend.isUsingGpuDevice = true;
  try {
    run().forEach((values, i) => {
      expect(values).toBeAllClose(expected[i]!);
    });
  } finally {
    delete backend.isUsingGpuDevice;
  }
});

for (const normalize of ["divisive", "softmax"] as const)
  test(`${normalize} agrees with finite differences`, () => {
    const layer = treeOutput({ tree: SUMMED, normalize });
    // Away from the corner of max(z, 0), where a difference has no meaning.
    const { tape, difference } = gradients((z) => apply(layer, z), wave([2, 9], 3, 1, 1.2), 1e-3);
    expect(tape).toBeAllClose(difference, { atol: 3e-4 });
  });

test("every question sums to its parents' weight, whatever the outputs", () => {
  const layer = treeOutput({ tree: SUMMED, normalize: "softmax" });
  const value = fc.float({ min: -80, max: 80, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 9, maxLength: 9 }), (z) => {
      const y = tf.tidy(() => apply(layer, tf.tensor2d([z])).dataSync());
      const sum = (...columns: number[]): number => columns.reduce((s, c) => s + y[c]!, 0);
      expect([sum(0, 1, 2), sum(3, 4), sum(5, 6, 7, 8)]).toBeAllClose(
        [1, sum(0, 2), sum(1, 3, 4)],
        { atol: 1e-6 },
      );
      expect(Math.min(...y)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 50 },
  );
});

test("a softmax question far below the others does not underflow", () => {
  const layer = treeOutput({
    tree: [
      { name: "a", answers: ["a0", "a1"] },
      { name: "b", answers: ["b0", "b1"] },
    ],
    normalize: "softmax",
  });
  expect(apply(layer, tf.tensor2d([[1000, 1000, -1000, -1000]])).dataSync()).toBeAllClose([
    0.5, 0.5, 0.5, 0.5,
  ]);
});

test("works on the last axis of any rank", () => {
  const layer = treeOutput({ tree: SUMMED });
  const z = wave([2, 3, 9], 8);
  expect(apply(layer, z).shape).toEqual([2, 3, 9]);
  expect(apply(layer, z).dataSync()).toBeAllClose(apply(layer, tf.reshape(z, [6, 9])).dataSync());
});

test("clip mode clips, with gradient inside 0..1 only, and can be left again", () => {
  const inner = tf.sequential({ layers: [treeOutput({ tree: SUMMED, inputShape: [9] })] });
  const model = tf.sequential({ layers: [inner] }); // found in nested models too
  const z = tf.tensor2d([[-1, -0.5, 0, 0.25, 0.5, 1, 1.5, 2, 0.75]]);
  const normal = (model.predict(z) as tf.Tensor).dataSync();
  setTreeMode(model, "clip");
  expect([...(model.predict(z) as tf.Tensor).dataSync()]).toEqual([
    0, 0, 0, 0.25, 0.5, 1, 1, 1, 0.75,
  ]);
  const g = tf.grad((t) => tf.sum(model.apply(t) as tf.Tensor))(z);
  expect([...g.dataSync()]).toEqual([0, 0, 1, 1, 1, 1, 0, 0, 1]);
  setTreeMode(model, "normal");
  expect((model.predict(z) as tf.Tensor).dataSync()).toEqual(normal);
});

test("survives saving with names in any case, and starts in normal mode", async () => {
  const tree = [
    {
      name: "Is it ALIVE?",
      text: "alive_or not",
      answers: ["Yes.1", "no_2"],
      answerTexts: ["Yes, it is", "no"],
    },
    { name: "b", answers: ["Copepod", "diatom_x", "camelCase"], parents: ["Yes.1"] },
  ];
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [4] }),
      treeOutput({ tree, normalize: "softmax" }),
    ],
  });
  const x = wave([3, 4]);
  expect(await reloadError(model, x)).toBe(0);
  setTreeMode(model, "clip");
  const again = await reload(model);
  expect((again.layers[1] as unknown as { tree: unknown }).tree).toEqual(tree);
  setTreeMode(model, "normal");
  expect((again.predict(x) as tf.Tensor).dataSync()).toEqual(
    (model.predict(x) as tf.Tensor).dataSync(),
  );
});

test("learns a tree's probabilities inside fit", async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 9,
        inputShape: [3],
        kernelInitializer: tf.initializers.randomNormal({ stddev: 0.1, seed: 2 }),
        biasInitializer: tf.initializers.constant({ value: 0.5 }),
      }),
      treeOutput({ tree: SUMMED }),
    ],
  });
  const x = wave([32, 3], 0);
  const y = apply(
    treeOutput({ tree: SUMMED }),
    tf.add(tf.matMul(x as tf.Tensor2D, wave([3, 9], 7, 0.5) as tf.Tensor2D), 1),
  );
  model.compile({ optimizer: tf.train.adam(0.05), loss: "meanSquaredError" });
  const { history } = await model.fit(x, y, { epochs: 60, shuffle: false, verbose: 0 });
  expect(history.loss!.at(-1)).toBeLessThan(0.1 * (history.loss![0] as number));
});

test("leaks nothing", () => {
  const z = wave([4, 37]);
  for (const normalize of ["divisive", "softmax"] as const) {
    const layer = treeOutput({ tree: KAGGLE, normalize });
    expect(
      leaked(50, () =>
        tf
          .grad((t) => apply(layer, t))(z)
          .dispose(),
      ),
    ).toBe(0);
    expect(leaked(50, () => apply(layer, z).dispose())).toBe(0);
  }
});

describe("says what is wrong", () => {
  const a: Question = { name: "a", answers: ["a0", "a1"] };
  const cases: [string, unknown, string][] = [
    ["no tree", undefined, "expected an array of at least one question for tree but got undefined"],
    ["an empty tree", [], "expected an array of at least one question for tree but got []"],
    ["no name", [{ answers: ["x"] }], "expected a name for tree[0] but got undefined"],
    [
      "no answers",
      [{ name: "a", answers: [] }],
      'expected at least one column name as answers of question "a" but got []',
    ],
    [
      "parents as text",
      [a, { name: "b", answers: ["b0"], parents: "a0" }],
      'expected column names as parents of question "b" but got "a0"',
    ],
    [
      "a duplicate column",
      [a, { name: "b", answers: ["b0", "a1"] }],
      'expected unique columns but "a1" of question "b" is also in "a"',
    ],
    [
      "an unknown parent",
      [a, { name: "b", answers: ["b0"], parents: ["c7"] }],
      'expected a column of an earlier question as parent of "b" but got the unknown "c7"',
    ],
    [
      "itself as parent",
      [{ name: "b", answers: ["b0"], parents: ["b0"] }],
      'expected a column of an earlier question as parent of "b" but "b0" belongs to itself',
    ],
    [
      "a later parent",
      [{ name: "b", answers: ["b0"], parents: ["a1"] }, a],
      'expected a column of an earlier question as parent of "b" but "a1" belongs to "a", which comes later',
    ],
    [
      "a parent twice",
      [a, { name: "b", answers: ["b0"], parents: ["a0", "a0"] }],
      'expected each parent of "b" once but got "a0" twice',
    ],
  ];
  for (const [what, tree, message] of cases)
    test(what, () =>
      expect(() => treeOutput({ tree: tree as never })).toThrow(
        new TypeError(`treeOutput: ${message}`),
      ),
    );

  test("options, shapes and modes", () => {
    expect(() => treeOutput({ tree: [a], normalize: "max" as never })).toThrow(
      'treeOutput: expected "divisive" or "softmax" for normalize but got "max"',
    );
    expect(() => apply(treeOutput({ tree: [a] }), tf.ones([1, 3]))).toThrow(
      "treeOutput: expected 2 units, one per answer of the tree, on the last axis but got shape [1,3]",
    );
    const plain = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    expect(() => setTreeMode(plain, "off" as never)).toThrow(
      'setTreeMode: expected "normal" or "clip" for mode but got "off"',
    );
    expect(() => setTreeMode(plain, "clip")).toThrow(
      "setTreeMode: expected a model with a treeOutput layer but got none",
    );
  });
});
