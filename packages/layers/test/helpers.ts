import type { QuestionTree } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";

/** The numbers that make_golden.py uses: sin(0.7 n + sin(0.013 n)). */
export function wave(shape: number[], offset = 0, scale = 1, level = 0): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => {
      const n = i + offset;
      return level + scale * Math.sin(0.7 * n + Math.sin(0.013 * n));
    }),
    shape,
  );
}

/** The model as it comes back from disk: topology through JSON text, weights through bytes. */
export async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  let saved: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = saved;
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: JSON.parse(JSON.stringify(modelTopology)),
      weightSpecs: weightSpecs!,
      weightData: weightData!,
    }),
  );
}

/** How much outputs of a model and of its reloaded self differ at most. */
export async function reloadError(model: tf.LayersModel, x: tf.Tensor): Promise<number> {
  const again = await reload(model);
  const [a, b] = [model.predict(x) as tf.Tensor, again.predict(x) as tf.Tensor];
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

/** d sum(f(x) * wave) / dx by tfjs's tape, and by central differences of the same float32 program. */
export function gradients(
  f: (x: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  step = 1e-2,
): { tape: Float32Array; difference: number[] } {
  const loss = (t: tf.Tensor): tf.Scalar => {
    const y = f(t);
    return tf.sum(tf.mul(y, wave(y.shape, 31)));
  };
  const tape = tf.grad(loss)(x).dataSync() as Float32Array;
  const values = x.dataSync() as Float32Array;
  const at = (i: number, delta: number): number => {
    const moved = values.slice();
    moved[i]! += delta;
    // Summed here in double precision: a float32 sum would drown the difference.
    const y = f(tf.tensor(moved, x.shape));
    const w = wave(y.shape, 31).dataSync();
    return (y.dataSync() as Float32Array).reduce((sum, v, j) => sum + v * w[j]!, 0);
  };
  const difference = Array.from(values, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
  return { tape, difference };
}

/** Tensors left behind by `count` calls, after a first call that may build things. */
export function leaked(count: number, call: () => void): number {
  call();
  const before = tf.memory().numTensors;
  for (let i = 0; i < count; i++) call();
  return tf.memory().numTensors - before;
}

/** Galaxy Zoo 2 as Kaggle scored it: 37 columns, question 6 without a parent. */
export const KAGGLE: QuestionTree = (
  [
    [3],
    [2, "Class1.2"],
    [2, "Class2.2"],
    [2, "Class2.2"],
    [4, "Class2.2"],
    [2],
    [3, "Class1.1"],
    [7, "Class6.1"],
    [3, "Class2.1"],
    [3, "Class4.1"],
    [6, "Class4.1"],
  ] as [number, string?][]
).map(([answers, parent], q) => ({
  name: `Q${q + 1}`,
  answers: Array.from({ length: answers }, (_, a) => `Class${q + 1}.${a + 1}`),
  ...(parent && { parents: [parent] }),
}));

/** A question with two parents, and one whose parents belong to two questions. */
export const SUMMED: QuestionTree = [
  { name: "a", answers: ["a0", "a1", "a2"] },
  { name: "b", answers: ["b0", "b1"], parents: ["a0", "a2"] },
  { name: "c", answers: ["c0", "c1", "c2", "c3"], parents: ["a1", "b0", "b1"] },
];
