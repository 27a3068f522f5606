import { createRng } from "@gz/augment";

/** Gives the index of the training image at a position 0, 1, 2, … of the endless training stream. */
export type TrainingOrder = (position: number) => number;

/**
 * The order in which a run sees its training images: chunk after chunk, each the first `chunk` of a fresh shuffle
 * (the winner's chunks of 10,000; a chunk of all images is an epoch). A function of (seed, position) alone, so that
 * workers and resumed runs need no shared state.
 */
export function trainingOrder(seed: number, images: number, chunk = images): TrainingOrder {
  const size = Math.min(chunk, images);
  let current = -1;
  let order = new Uint32Array(0);
  return (position) => {
    const index = Math.floor(position / size);
    if (index !== current) {
      current = index;
      order = createRng(seed, 0x0e0c, index).permutation(images) as typeof order;
    }
    return order[position % size] as number;
  };
}
