/**
 * What runs on the loader's threads: fills one batch from its step alone. TensorFlow.js is not loaded here.
 */
import { workerData } from "node:worker_threads";
import type { Draw } from "@gz/augment";
import { inputLength, trainingDraw, writeInput } from "./input.ts";
import { trainingOrder } from "./order.ts";
import { openPixels, type PixelSource, type Pixels } from "./pixels.ts";
import type { Recipe } from "./recipe.ts";

/** Given to each worker once. */
export interface BatchWork {
  recipe: Recipe;
  pixels: PixelSource;
  job: TrainingJob | PredictionJob;
}

/** Random images with random draws. */
export interface TrainingJob {
  kind: "train";
  seed: number;
  /** The first rows of the data set are trained on. */
  rows: number;
  /** [rows, columns] on shared memory. */
  labels: Float32Array;
}

/** Every image of a list under every transform: sample i * transforms + t is image i under transform t. */
export interface PredictionJob {
  kind: "predict";
  /** Rows of the pixel source. */
  images: Uint32Array;
  transforms: readonly Draw[];
  /** Of the recipe's views with each transform: one, at this angle in degrees. Left out: all. */
  angles?: readonly number[];
}

const { recipe, pixels: source, job } = workerData as BatchWork;
const width = inputLength(recipe);
const pixels: Promise<Pixels> = openPixels(source);
const fillSlots = job.kind === "train" ? trainingSlots(job) : predictionSlots(job);

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

function trainingSlots({ seed, rows, labels }: TrainingJob) {
  const order = trainingOrder(seed, rows, recipe.chunk);
  const columns = labels.length / rows;
  return async (step: number, xs: Float32Array, ys?: Float32Array) => {
    const { read, centre } = await pixels;
    for (let slot = 0; slot < recipe.batch; slot++) {
      const row = order(step * recipe.batch + slot);
      const { draw, color } = trainingDraw(recipe, seed, step, slot);
      writeInput(
        recipe,
        await read(row),
        xs.subarray(slot * width, (slot + 1) * width),
        draw,
        color,
        centre(row),
      );
      ys?.set(labels.subarray(row * columns, (row + 1) * columns), slot * columns);
    }
  };
}

function predictionSlots({ images, transforms, angles }: PredictionJob) {
  const { input } = recipe;
  const recipes = transforms.map((_, t) =>
    angles ? { ...recipe, input: { ...input, angles: [angles[t]!] } } : recipe,
  );
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
