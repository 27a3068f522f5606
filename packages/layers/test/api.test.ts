import { readFile } from "node:fs/promises";
import * as layers from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";
import { KAGGLE, leaked, reloadError, wave } from "./helpers.ts";

beforeAll(() => tf.setBackend("cpu"));

test("exports these functions and no others", () => {
  expect(Object.keys(layers).sort()).toEqual([
    "applyConstraints",
    "averageViews",
    "batchNorm",
    "dropout",
    "flattenViews",
    "l2Norm",
    "localContrast",
    "maxout",
    "mergeParts",
    "polarCoordinates",
    "rmsNorm",
    "setDropoutStep",
    "setTreeMode",
    "splitParts",
    "squareSymmetries",
    "treeOutput",
    "untiedBias",
  ]);
});

test("the README's example runs as pasted, learns, and prints what the README shows", async () => {
  const readme = new URL("../README.md", import.meta.url);
  const example = (await readmeExample(readme)).replace("import * as tf from", "import tf from");
  const printed = await runExample(example, { "@gz/layers": layers, "@tensorflow/tfjs": tf });
  const shown = /^```\n\n```\n(.*?)\n```$/ms.exec(await readFile(readme, "utf8"))![1];
  expect(printed.join("\n")).toBe(shown);
});

/** The winner's network in small: every layer of this package in one model. */
function network(): tf.Sequential {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 7 });
  return tf.sequential({
    layers: [
      layers.splitParts({ partSize: 4, inputShape: [2, 6, 6, 3] }),
      tf.layers.conv2d({ filters: 4, kernelSize: 2, useBias: false, kernelInitializer }),
      layers.untiedBias({ initializer: tf.initializers.constant({ value: 0.1 }) }),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.conv2d({ filters: 3, kernelSize: 2, useBias: false, kernelInitializer }),
      layers.batchNorm(),
      tf.layers.activation({ activation: "relu" }),
      layers.mergeParts({ parts: 16 }),
      layers.dropout({ rate: 0.5, seed: 1 }),
      tf.layers.dense({ units: 16, kernelInitializer, name: "hidden" }),
      layers.maxout({ pieces: 2 }),
      tf.layers.dense({ units: 37, kernelInitializer, biasInitializer: "ones" }),
      layers.treeOutput({ tree: KAGGLE }),
    ],
  });
}

test("all layers together train, keep to their constraints, and come back from disk as they were", async () => {
  const model = network();
  const [x, y] = [wave([4, 2, 6, 6, 3], 0, 0.5, 0.5), tf.abs(wave([4, 37], 5, 0.3))];
  model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
  const losses: number[] = [];
  layers.setTreeMode(model, "clip");
  for (let step = 0; step < 30; step++) {
    if (step === 5) layers.setTreeMode(model, "normal");
    layers.setDropoutStep(model, step);
    losses.push((await model.trainOnBatch(x, y)) as number);
    if (step % 10 === 9) layers.applyConstraints(model, { hidden: layers.rmsNorm({ max: 0.2 }) });
  }
  expect(Math.min(...losses.slice(-5))).toBeLessThan(0.8 * losses[5]!);
  const rms = tf.sqrt(tf.mean(tf.square(model.getLayer("hidden").getWeights()[0]!), 0));
  expect(Math.max(...rms.dataSync())).toBeLessThan(0.2 + 1e-6);
  expect(await reloadError(model, x)).toBe(0);
});

test("two runs with the same seeds end in the same weights", async () => {
  const run = async (): Promise<Float32Array> => {
    const model = network();
    model.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
    for (let step = 0; step < 3; step++)
      await model.trainOnBatch(wave([4, 2, 6, 6, 3], step), tf.abs(wave([4, 37], step, 0.3)));
    return tf.concat(model.getWeights().map((w) => tf.reshape(w, [-1]))).dataSync() as Float32Array;
  };
  expect(await run()).toEqual(await run());
});

test("training steps leave no tensors behind", () => {
  const model = network();
  const x = wave([1, 2, 6, 6, 3]);
  const step = (): void => {
    const { value, grads } = tf.variableGrads(() =>
      tf.tidy(
        () => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar,
      ),
    );
    tf.dispose([value, ...Object.values(grads)]);
  };
  expect(leaked(50, step)).toBe(0);
});
