/** Training batches: labelled images, and test images with soft labels where there are any, each under a random draw. */
import type { Image } from "@gz/augment";
import { type Centre, inputLength, trainingDraw, writeInput } from "../images/input.ts";
import { type Mixture, mixedBatch, type TrainingOrder, trainingOrder } from "../images/order.ts";
import { openPixels, type PixelSource, type Pixels } from "../images/pixels.ts";
import type { Recipe } from "../recipe/recipe.ts";

/** What training batches are made from: plain data, given to each worker once. */
export interface TrainingJob {
  kind: "train";
  seed: number;
  /** The first rows of the data set are trained on. */
  rows: number;
  /** [rows, columns] on shared memory. */
  labels: Float32Array;
  mixture: Mixture;
  /** Images of the test split, and soft labels of theirs. */
  pseudo?: SoftLabels | undefined;
}

/** Images of another split whose labels are predictions. */
interface SoftLabels {
  pixels: PixelSource;
  /** Rows of the pixel source. */
  images: Uint32Array;
  /** [images, columns] on shared memory. */
  labels: Float32Array;
}

/** Fills the batch of a step: random images with random draws, of the step alone. */
export function trainingBatches(
  recipe: Recipe,
  source: Promise<Pixels>,
  { seed, rows, labels, mixture, pseudo }: TrainingJob,
): (step: number, xs: Float32Array, ys?: Float32Array) => Promise<void> {
  const width = inputLength(recipe);
  const columns = labels.length / rows;
  const labelled = stream(trainingOrder(seed, rows, recipe.chunk), source, labels, columns);
  const soft =
    pseudo &&
    stream(
      trainingOrder(seed, pseudo.images.length, undefined, 1),
      openPixels(pseudo.pixels),
      pseudo.labels,
      columns,
      pseudo.images,
    );
  return async (step, xs, ys) => {
    const batch = mixedBatch(mixture, step);
    for (let slot = 0; slot < recipe.batch; slot++) {
      const { image, centre, label } =
        slot < batch.labelled
          ? await labelled(batch.firstLabelled + slot)
          : await soft!(batch.firstPseudo + slot - batch.labelled);
      const { draw, pixels } = trainingDraw(recipe, seed, step, slot);
      const out = xs.subarray(slot * width, (slot + 1) * width);
      writeInput(recipe, image, out, draw, pixels, centre);
      ys?.set(label, slot * columns);
    }
  };
}

interface Example {
  image: Image;
  centre: Centre | undefined;
  label: Float32Array;
}

/** The examples of an order; `images`: which row of the pixels each is, its own number if left out. */
function stream(
  order: TrainingOrder,
  source: Promise<Pixels>,
  labels: Float32Array,
  columns: number,
  images?: Uint32Array,
): (position: number) => Promise<Example> {
  return async (position) => {
    const { read, centre } = await source;
    const index = order(position);
    const row = images ? images[index]! : index;
    return {
      image: await read(row),
      centre: centre(row),
      label: labels.subarray(index * columns, (index + 1) * columns),
    };
  };
}
