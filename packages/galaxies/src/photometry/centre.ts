import { type Draw, identityDraw } from "@gz/augment";
import type { Source } from "./sources.ts";

/** Squared pixels over which a source's weight falls by e as it lies off the middle: 2 * 50^2, the winner's. */
const SPREAD = 5000;

/**
 * The source that an image was cut out for: large and near the middle, the greatest pi a b exp(-d^2 / 5000) with d the
 * distance to the image's centre in pixels, as Galaxy Zoo's winner chose. Undefined when there is none.
 */
export function chooseGalaxy(
  sources: readonly Source[],
  { width, height }: { readonly width: number; readonly height: number },
): Source | undefined {
  let best: Source | undefined;
  let most = -Infinity;
  for (const source of sources) {
    const dx = source.x - (width - 1) / 2;
    const dy = source.y - (height - 1) / 2;
    const weight = Math.log(source.a * source.b) - (dx * dx + dy * dy) / SPREAD;
    if (weight > most) {
      most = weight;
      best = source;
    }
  }
  return best;
}

/** Options of `centreDraw`. */
export interface CentreOptions {
  /** The image's size in pixels. */
  readonly width: number;
  readonly height: number;
  /** Petrosian radius, in pixels of the image, that the galaxy is given; 160 if left out, the winner's. */
  readonly radius?: number;
  /** Largest magnification, and its inverse the smallest; 1.5 if left out. */
  readonly limit?: number;
}

/**
 * What moves a galaxy to the middle of its image and gives it a size: a draw (of @gz/augment) to go before any other,
 * compose(affineFromDraw(centreDraw(galaxy, size), size), ...). Without a galaxy it changes nothing.
 *
 * @throws TypeError for a size or radius that is not positive or a limit below 1
 */
export function centreDraw(
  galaxy: Pick<Source, "x" | "y" | "a" | "petrosian"> | undefined,
  { width, height, radius = 160, limit = 1.5 }: CentreOptions,
): Draw {
  for (const [name, value] of Object.entries({ width, height, radius }))
    if (!(value > 0 && value < Infinity))
      throw new TypeError(`centreDraw: expected a positive number for ${name} but got ${value}`);
  if (!(limit >= 1 && limit < Infinity))
    throw new TypeError(`centreDraw: expected a finite number >= 1 for limit but got ${limit}`);
  if (!galaxy) return identityDraw;
  const zoom = Math.max(1 / limit, Math.min(limit, radius / (galaxy.petrosian * galaxy.a)));
  const translation = [galaxy.x - (width - 1) / 2, galaxy.y - (height - 1) / 2] as const;
  return { ...identityDraw, zoom, translation };
}
