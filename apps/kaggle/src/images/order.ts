import { createRng } from "@gz/augment";

/** Gives the index of the training image at a position 0, 1, 2, … of the endless training stream. */
export type TrainingOrder = (position: number) => number;

/**
 * The order in which a run sees its training images: chunk after chunk, each the first `chunk` of a fresh shuffle
 * (the winner's chunks of 10,000; a chunk of all images is an epoch). A function of (seed, position) alone, so that
 * workers and resumed runs need no shared state. Streams of other numbers are shuffled otherwise.
 */
export function trainingOrder(
  seed: number,
  images: number,
  chunk = images,
  stream = 0,
): TrainingOrder {
  const size = Math.min(chunk, images);
  let current = -1;
  let order = new Uint32Array(0);
  return (position) => {
    const index = Math.floor(position / size);
    if (index !== current) {
      current = index;
      order = createRng(seed, 0x0e0c + stream, index).permutation(images) as typeof order;
    }
    return order[position % size] as number;
  };
}

/** Of what a run's batches are made. */
export interface Mixture {
  /** Images in a batch. */
  batch: number;
  /** How many of them, the last ones, have pseudo-labels instead of labels, from a step on. */
  pseudo: number;
  fromStep: number;
}

/** One batch of a mixture. */
interface MixedBatch {
  /** Its first images, which have labels; the others have pseudo-labels. */
  labelled: number;
  /** Where either kind goes on in its own stream: no image of an epoch is left out when the others come in. */
  firstLabelled: number;
  firstPseudo: number;
}

/** What the batch of a step, counted from 0, is made of: of the step alone. */
export function mixedBatch({ batch, pseudo, fromStep }: Mixture, step: number): MixedBatch {
  const before = Math.max(0, step - fromStep) * pseudo;
  return {
    labelled: step < fromStep ? batch : batch - pseudo,
    firstLabelled: step * batch - before,
    firstPseudo: before,
  };
}
