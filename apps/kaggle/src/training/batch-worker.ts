/**
 * What runs on the loader's threads: fills one batch from its step alone. TensorFlow.js is not loaded here.
 */
import { workerData } from "node:worker_threads";
import type { Draw } from "@gz/augment";
import { inputLength, withView, writeInput } from "../images/input.ts";
import { openPixels, type PixelSource, type Pixels } from "../images/pixels.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { type TrainingJob, trainingBatches } from "./batches.ts";

/** Given to each worker once. */
export interface BatchWork {
  recipe: Recipe;
  pixels: PixelSource;
  job: TrainingJob | PredictionJob;
}

/** Every image of a list under every transform: sample i * transforms + t is image i under transform t. */
export interface PredictionJob {
  kind: "predict";
  /** Rows of the pixel source. */
  images: Uint32Array;
  transforms: readonly Draw[];
  /** Of the recipe's views with each transform: this one alone. Left out: all. */
  views?: readonly number[];
}

const { recipe, pixels: source, job } = workerData as BatchWork;
const width = inputLength(job.kind === "predict" && job.views ? withView(recipe, 0) : recipe);
const pixels: Promise<Pixels> = openPixels(source);
const fillSlots =
  job.kind === "train" ? trainingBatches(recipe, pixels, job) : predictionSlots(job);

export default async function fill({
  step,
  xs,
  ys,
}: {
  step: number;
  xs: Float32Array;
  ys?: Float32Array;
}): Promise<void> {
  await fillSlots(step, xs, ys);
}

function predictionSlots({ images, transforms, views }: PredictionJob) {
  const recipes = transforms.map((_, t) => (views ? withView(recipe, views[t]!) : recipe));
  const samples = images.length * transforms.length;
  return async (step: number, xs: Float32Array) => {
    const { read, centre } = await pixels;
    const slots = xs.length / width;
    const first = step * slots;
    const last = Math.min(first + slots, samples);
    for (let sample = first; sample < last; ) {
      const index = Math.floor(sample / transforms.length);
      const row = images[index]!;
      const image = await read(row);
      const end = Math.min(last, (index + 1) * transforms.length);
      for (; sample < end; sample++) {
        const out = xs.subarray((sample - first) * width, (sample - first + 1) * width);
        const t = sample % transforms.length;
        writeInput(recipes[t]!, image, out, transforms[t], undefined, centre(row));
      }
    }
    xs.fill(0, (last - first) * width);
  };
}
