/** Forward passes over many images: the validation score during training, and predictions. */
import { availableParallelism } from "node:os";
import { type Draw, identityDraw } from "@gz/augment";
import { backgroundLoader, compile } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { inputShape, withView } from "../images/input.ts";
import type { PixelSource } from "../images/pixels.ts";
import { type Halves, halvesOf } from "../network/halves.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { BatchWork, PredictionJob } from "../training/batch-worker.ts";
import { type SharedParts, sharedParts } from "./shared-parts.ts";

/** Where the loader's threads start: the built file beside this one. */
export const BATCH_WORKER = new URL("../../dist/training/batch-worker.js", import.meta.url);

/** Leaves a core to the backend's own threads where there is more than a few. */
export function defaultWorkers(): number {
  return Math.max(1, Math.min(8, availableParallelism() - 1));
}

export interface ForwardOptions {
  model: tf.LayersModel;
  recipe: Recipe;
  pixels: PixelSource;
  /** Rows of the pixel source. */
  images: Uint32Array;
  transforms: readonly Draw[];
  workers?: number;
  signal?: AbortSignal;
}

/** Outputs of one image under all transforms: [transforms, columns]. Valid until the next one is asked for. */
export interface ImageOutputs {
  /** Position in the list of images. */
  index: number;
  outputs: Float32Array;
  /** How many more come at once, from the same forward pass. */
  left: number;
}

/**
 * Every image under every transform, image by image, in order; each batch is loaded while the one before computes. Of a
 * network of parts, those that transforms share are computed once.
 */
export function forward(options: ForwardOptions): AsyncGenerator<ImageOutputs> {
  const shared = sharedParts(options.recipe, options.transforms);
  const halves = shared && halvesOf(options.model);
  return halves ? forwardShared(options, shared, halves) : forwardEach(options);
}

/** The network as it is, for every transform anew. */
export async function* forwardEach(options: ForwardOptions): AsyncGenerator<ImageOutputs> {
  const { model, images, transforms } = options;
  const samples = images.length * transforms.length;
  const columns = model.outputs[0]?.shape.at(-1) ?? 0;
  const outputs = new Float32Array(transforms.length * columns);
  const network = compile(([xs]) => [outputsOf(model, xs!)]);
  let sample = 0;
  let done = 0;
  try {
    for await (const { xs } of inputBatches(options)) {
      const values = await valuesOf((input) => network.run([input])[0]!, xs);
      const end = Math.min(samples, sample + values.length / columns);
      for (let slot = 0; sample < end; slot++, sample++) {
        const transform = sample % transforms.length;
        outputs.set(values.subarray(slot * columns, (slot + 1) * columns), transform * columns);
        if (transform === transforms.length - 1)
          yield { index: done++, outputs, left: Math.floor(end / transforms.length) - done };
      }
      if (options.signal?.aborted) return;
    }
  } finally {
    network.dispose();
  }
}

/** As many rows go through the dense layers at a time: each pass reads all of their weights, 168 MB of the winner's. */
const DENSE_ROWS = 480;

async function* forwardShared(
  options: ForwardOptions,
  { views, parts }: SharedParts,
  halves: Halves,
): AsyncGenerator<ImageOutputs> {
  const { images, transforms, signal } = options;
  const features = compile(([views]) => [halves.features(views!)]);
  const outputs = compile(([all]) => [halves.outputs(all as tf.Tensor2D)]);
  const most = Math.min(images.length, Math.ceil(DENSE_ROWS / transforms.length));
  const indices = tf.tensor1d(parts, "int32");
  const found: tf.Tensor[] = []; // features of the present images' views, [views, parts, F]
  let batch: tf.Tensor3D | undefined;
  let index = 0;
  let count = most; // of images that go through the dense layers next
  let missing = count * views.length;
  try {
    const batches = inputBatches({
      ...options,
      transforms: views.map(({ transform }) => transform),
      views: views.map(({ view }) => view),
    });
    for await (const { xs } of batches) {
      batch?.dispose();
      const input = tf.tensor(xs.data, [...xs.shape]);
      [batch] = features.run([input]) as [tf.Tensor3D];
      input.dispose();
      for (let at = 0; at < batch.shape[0] && index < images.length; ) {
        const taken = Math.min(batch.shape[0] - at, missing);
        found.push(batch.slice([at, 0, 0], [taken, -1, -1]));
        at += taken;
        missing -= taken;
        if (missing > 0) continue;
        const merged = tf.tidy(() => {
          const all = tf.concat(found);
          const every = tf.reshape(all, [count, -1, all.shape.at(-1)!]);
          const chosen = tf.gather(every, indices, 1);
          return tf.reshape(chosen, [count * transforms.length, -1]);
        });
        tf.dispose(found.splice(0));
        const [result] = outputs.run([merged]) as [tf.Tensor];
        const values = (await result.data()) as Float32Array;
        tf.dispose([merged, result]);
        const size = values.length / count;
        for (let i = 0; i < count; i++)
          yield {
            index: index++,
            outputs: values.subarray(i * size, (i + 1) * size),
            left: count - 1 - i,
          };
        count = Math.min(most, images.length - index);
        missing = count * views.length;
      }
      if (signal?.aborted) return;
    }
  } finally {
    tf.dispose([indices, ...found]);
    batch?.dispose();
    features.dispose();
    outputs.dispose();
  }
}

interface InputBatch {
  data: Float32Array;
  shape: readonly number[];
}

/** Un-augmented inputs with their labels, held in memory: what a run is validated on, again and again. */
export interface ValidationSet {
  batches: readonly InputBatch[];
  /** [images, columns] */
  labels: Float32Array;
}

/** Throws the signal's reason when it is aborted. */
export async function holdValidationSet(
  options: Omit<ForwardOptions, "model" | "transforms">,
  labels: Float32Array,
): Promise<ValidationSet> {
  const batches: InputBatch[] = [];
  for await (const { xs } of inputBatches({ ...options, transforms: [identityDraw] })) {
    options.signal?.throwIfAborted();
    batches.push({ data: xs.data.slice(), shape: xs.shape });
  }
  return { batches, labels };
}

/** RMSE of the model as it is. */
export async function validate(
  model: tf.LayersModel,
  { batches, labels }: ValidationSet,
): Promise<number> {
  let sum = 0;
  let at = 0;
  for (const batch of batches) {
    const values = await valuesOf((xs) => outputsOf(model, xs), batch);
    for (let k = 0; k < values.length && at < labels.length; k++, at++)
      sum += (values[k]! - labels[at]!) ** 2;
  }
  return Math.sqrt(sum / labels.length);
}

/** Larger than a training batch, since no activation has to be kept; the winner's parts count 8 a view. */
function forwardBatch({ network, input }: Recipe): number {
  return network.kind === "parts" ? Math.ceil(32 / input.angles.length) : 64;
}

function inputBatches({
  recipe,
  pixels,
  images,
  transforms,
  views,
  workers = defaultWorkers(),
}: Omit<ForwardOptions, "model"> & Pick<PredictionJob, "views">) {
  const samples = images.length * transforms.length;
  const seen = views ? withView(recipe, 0) : recipe;
  const batch = Math.min(samples, forwardBatch(seen));
  const work: BatchWork = {
    recipe,
    pixels,
    job: { kind: "predict", images, transforms, ...(views && { views }) },
  };
  return backgroundLoader({
    worker: BATCH_WORKER,
    workerData: work,
    batch: { xs: inputShape(seen, batch) },
    workers,
    steps: Math.ceil(samples / batch),
  });
}

function outputsOf(model: tf.LayersModel, xs: tf.Tensor): tf.Tensor {
  return tf.tidy(() => model.apply(xs, { training: false }) as tf.Tensor);
}

async function valuesOf(
  network: (xs: tf.Tensor) => tf.Tensor,
  { data, shape }: InputBatch,
): Promise<Float32Array> {
  const xs = tf.tensor(data, [...shape]);
  const result = network(xs);
  const values = (await result.data()) as Float32Array;
  tf.dispose([xs, result]);
  return values;
}
