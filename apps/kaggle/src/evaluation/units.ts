/**
 * Which units of a network are looked at: answers of the tree, and those of the features under the head that move the
 * answers most.
 */
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import * as tf from "@tensorflow/tfjs";
import { questionOf } from "./questions.ts";

/** A direction in the network's [features, answers], to be maximised. */
export interface Unit {
  kind: "answer" | "feature";
  /** Column of the answer, or index of the feature. */
  index: number;
  /** The answers (columns) that it speaks for, the strongest first. */
  towards: number[];
}

/** Of Kaggle's tree: what a picture can be of, a glance at all branches. Other trees start with their first. */
const ANSWERS = [
  "Class7.1",
  "Class7.3",
  "Class2.1",
  "Class4.1",
  "Class3.1",
  "Class11.2",
  "Class10.3",
  "Class5.4",
  "Class8.1",
  "Class8.6",
  "Class6.1",
  "Class1.3",
];
const FEATURES = 12;
/** Features that follow a chosen one this closely show the same again. */
const ALIKE = 0.7;

/** A network without its tree: the features that go into the head, and the head's answers before they are normalised. */
export interface Probe {
  /** Views to [features + answers]. */
  model: tf.LayersModel;
  features: number;
  tree: QuestionTree;
  /** The head's kernel [features, answers]. */
  head: Float32Array;
}

/** Shares its weights with the model; nothing of it needs to be disposed of. */
export function probe(model: tf.LayersModel, tree: QuestionTree): Probe {
  const head = model.getLayer("head");
  const features = head.input as tf.SymbolicTensor;
  const outputs = tf.layers
    .concatenate({ name: "probe" })
    .apply([features, head.output as tf.SymbolicTensor]) as tf.SymbolicTensor;
  const kernel = head.getWeights()[0]!;
  return {
    model: tf.model({ inputs: model.inputs, outputs }),
    features: features.shape.at(-1)!,
    tree,
    head: kernel.dataSync() as Float32Array,
  };
}

/** What stands where in the probe's outputs. */
type Layout = Pick<Probe, "features" | "tree">;

/**
 * The weights of a unit over [features, answers]. An answer's is its contrast to the other answers of its question,
 * which is what a softmax sees.
 */
export function unitWeights({ kind, index }: Unit, { features, tree }: Layout): Float32Array {
  const weights = new Float32Array(features + columnsOf(tree).length);
  if (kind === "feature") {
    weights[index] = 1;
    return weights;
  }
  const { first, end } = questionOf(tree, index);
  weights.fill(-1 / (end - first - 1), features + first, features + end);
  weights[features + index] = 1;
  return weights;
}

/**
 * Answers that stand for the tree's branches, then up to 12 features: those whose variance over the galaxies, times the
 * square of their weights in the head, is largest, leaving out what correlates with one that is there by more than 0.7.
 * @param outputs [galaxies, features + answers] of the probe
 */
export function chooseUnits(
  { features, tree, head }: Omit<Probe, "model">,
  outputs: Float32Array,
): Unit[] {
  const columns = columnsOf(tree);
  const width = features + columns.length;
  const galaxies = outputs.length / width;
  const known = ANSWERS.every((answer) => columns.includes(answer));
  const answers = (known ? ANSWERS : columns.slice(0, ANSWERS.length)).map((answer): Unit => {
    const column = columns.indexOf(answer);
    return { kind: "answer", index: column, towards: [column] };
  });
  const candidates = Array.from({ length: features }, (_, feature) => {
    const values = Float64Array.from({ length: galaxies }, (_, i) => outputs[i * width + feature]!);
    const mean = values.reduce((a, b) => a + b, 0) / galaxies;
    const centred = values.map((value) => value - mean);
    const contrasts = contrastsOf(head, feature, tree);
    const power = contrasts.reduce((sum, contrast) => sum + contrast * contrast, 0);
    const square = dot(centred, centred);
    return { feature, centred, square, contrasts, score: square * power };
  })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.feature - b.feature);
  const chosen: typeof candidates = [];
  for (const candidate of candidates) {
    if (chosen.length === FEATURES) break;
    const alike = chosen.some(
      ({ centred, square }) =>
        Math.abs(dot(centred, candidate.centred)) > ALIKE * Math.sqrt(square * candidate.square),
    );
    if (!alike) chosen.push(candidate);
  }
  return [
    ...answers,
    ...chosen.map(({ feature, contrasts }): Unit => {
      const order = contrasts.map((_, k) => k).sort((a, b) => contrasts[b]! - contrasts[a]!);
      return { kind: "feature", index: feature, towards: order.slice(0, 2) };
    }),
  ];
}

/** What a unit says of each galaxy. */
export function unitValues(unit: Unit, layout: Layout, outputs: Float32Array): number[] {
  const weights = unitWeights(unit, layout);
  return Array.from({ length: outputs.length / weights.length }, (_, i) =>
    dot(weights, outputs.subarray(i * weights.length, (i + 1) * weights.length)),
  );
}

/** A feature's weight for each answer, less the mean over the answer's question: what is left after normalising. */
function contrastsOf(head: Float32Array, feature: number, tree: QuestionTree): number[] {
  const width = columnsOf(tree).length;
  const row = head.subarray(feature * width, (feature + 1) * width);
  return Array.from(row, (_, k) => {
    const { first, end } = questionOf(tree, k);
    const mean = row.subarray(first, end).reduce((a, b) => a + b, 0) / (end - first);
    return row[k]! - mean;
  });
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
