/** Forward passes over many images: the validation score during training, and predictions. */
import { availableParallelism } from "node:os";
import { type Draw, identityDraw } from "@gz/augment";
import { backgroundLoader } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import type { BatchWork } from "./batch-worker.ts";
import { inputShape } from "./input.ts";
import type { PixelSource } from "./pixels.ts";
import type { Recipe } from "./recipe.ts";

/** Where the loader's threads start: the built file beside this one. */
export const BATCH_WORKER = new URL("../dist/batch-worker.js", import.meta.url);

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
}

/** Every image under every transform, image by image, in order; each batch is loaded while the one before computes. */
export async function* forward(options: ForwardOptions): AsyncGenerator<ImageOutputs> {
  const { model, images, transforms } = options;
  const samples = images.length * transforms.length;
  const columns = model.outputs[0]?.shape.at(-1) ?? 0;
  const outputs = new Float32Array(transforms.length * columns);
  let sample = 0;
  for await (const { xs } of inputBatches(options)) {
    const values = await predictBatch(model, xs);
    const slots = values.length / columns;
    for (let slot = 0; slot < slots && sample < samples; slot++, sample++) {
      const transform = sample % transforms.length;
      outputs.set(values.subarray(slot * columns, (slot + 1) * columns), transform * columns);
      if (transform === transforms.length - 1)
        yield { index: Math.floor(sample / transforms.length), outputs };
    }
    if (options.signal?.aborted) return;
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

export async function holdValidationSet(
  options: Omit<ForwardOptions, "model" | "transforms">,
  labels: Float32Array,
): Promise<ValidationSet> {
  const batches: InputBatch[] = [];
  for await (const { xs } of inputBatches({ ...options, transforms: [identityDraw] }))
    batches.push({ data: xs.data.slice(), shape: xs.shape });
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
    const values = await predictBatch(model, batch);
    for (let k = 0; k < values.length && at < labels.length; k++, at++)
      sum += (values[k]! - labels[at]!) ** 2;
  }
  return Math.sqrt(sum / labels.length);
}

/** Larger than a training batch, since no activation has to be kept; the winner's parts count 16 a galaxy. */
function forwardBatch(recipe: Recipe): number {
  return recipe.network.kind === "parts" ? 16 : 64;
}

function inputBatches({
  recipe,
  pixels,
  images,
  transforms,
  workers = defaultWorkers(),
}: Omit<ForwardOptions, "model">) {
  const samples = images.length * transforms.length;
  const batch = Math.min(samples, forwardBatch(recipe));
  const work: BatchWork = { recipe, pixels, job: { kind: "predict", images, transforms } };
  return backgroundLoader({
    worker: BATCH_WORKER,
    workerData: work,
    batch: { xs: inputShape(recipe, batch) },
    workers,
    steps: Math.ceil(samples / batch),
  });
}

async function predictBatch(
  model: tf.LayersModel,
  { data, shape }: InputBatch,
): Promise<Float32Array> {
  const result = tf.tidy(
    () => model.apply(tf.tensor(data, [...shape]), { training: false }) as tf.Tensor,
  );
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}
