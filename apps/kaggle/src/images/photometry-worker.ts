/** Photometry on the loader's threads: fills [images, 4] with x, y, a and Petrosian radius of each image's galaxy. */
import { workerData } from "node:worker_threads";
import { chooseGalaxy, detectSources } from "@gz/galaxies";
import { openPixels, type PixelSource } from "./pixels.ts";

/** Given to each worker once. */
export interface PhotometryWork {
  /** Images at full size. */
  pixels: PixelSource;
  images: number;
  /** Of detection, in standard deviations of the background. */
  threshold: number;
}

/** The channel that the winner measured, too. */
const GREEN = 1;

const { pixels: source, images, threshold } = workerData as PhotometryWork;
const pixels = openPixels(source);

export default async function measure({
  step,
  xs,
}: {
  step: number;
  xs: Float32Array;
}): Promise<void> {
  const { read } = await pixels;
  const slots = xs.length / 4;
  xs.fill(Number.NaN);
  for (let slot = 0; slot < slots && step * slots + slot < images; slot++) {
    const image = await read(step * slots + slot);
    const [height, width] = image.shape as [number, number];
    const sources = detectSources(image.pick(null, null, GREEN), { threshold });
    const galaxy = chooseGalaxy(sources, { width, height });
    if (galaxy) xs.set([galaxy.x, galaxy.y, galaxy.a, galaxy.petrosian], 4 * slot);
  }
}
