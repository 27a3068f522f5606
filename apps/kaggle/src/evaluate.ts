/** Forward passes over many images: the validation score during training, and predictions. */
import { availableParallelism } from "node:os";
import type { Draw } from "@gz/augment";
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
  const { model, recipe, pixels, images, transforms, workers = defaultWorkers() } = options;
  const samples = images.length * transforms.length;
  const batch = Math.min(samples, forwardBatch(recipe));
  const work: BatchWork = {
    recipe,
    pixels,
    job: { kind: "predict", images, transforms },
  };
  const loader = backgroundLoader({
    worker: BATCH_WORKER,
    workerData: work,
    batch: { xs: inputShape(recipe, batch) },
    workers,
    steps: Math.ceil(samples / batch),
  });
  const columns = model.outputs[0]?.shape.at(-1) ?? 0;
  const outputs = new Float32Array(transforms.length * columns);
  let sample = 0;
  for await (const { xs } of loader) {
    const result = tf.tidy(() => {
      const input = tf.tensor(xs.data, [...xs.shape]);
      return model.apply(input, { training: false }) as tf.Tensor;
    });
    const values = (await result.data()) as Float32Array;
    result.dispose();
    for (let slot = 0; slot < batch && sample < samples; slot++, sample++) {
      const transform = sample % transforms.length;
      outputs.set(values.subarray(slot * columns, (slot + 1) * columns), transform * columns);
      if (transform === transforms.length - 1)
        yield { index: Math.floor(sample / transforms.length), outputs };
    }
    if (options.signal?.aborted) return;
  }
}

/** Larger than a training batch, since no activation has to be kept; the winner's parts count 16 a galaxy. */
function forwardBatch(recipe: Recipe): number {
  return recipe.network.kind === "parts" ? 16 : 64;
}

/** RMSE of the model as it is, un-augmented, on labelled images: [images, columns] labels in their order. */
export async function validate(
  options: Omit<ForwardOptions, "transforms">,
  labels: Float32Array,
): Promise<number> {
  const identity: Draw = { zoom: 1, rotation: 0, shear: 0, translation: [0, 0], flip: false };
  let sum = 0;
  let count = 0;
  for await (const { index, outputs } of forward({ ...options, transforms: [identity] })) {
    for (let k = 0; k < outputs.length; k++) {
      const error = outputs[k]! - labels[index * outputs.length + k]!;
      sum += error * error;
    }
    count += outputs.length;
  }
  return Math.sqrt(sum / count);
}
