export {
  type Affine,
  about,
  apply,
  compose,
  flip,
  identity,
  invert,
  rotation,
  scaling,
  shearing,
  translation,
} from "./affine.ts";
export { type AddColorOptions, addColor, sampleColor } from "./color.ts";
export { type ColorBasis, DIELEMAN_COLOR, fitColor } from "./color-basis.ts";
export { affineFromDraw, type Draw, type DrawRanges, identityDraw, sampleDraw } from "./draw.ts";
export { type ApplyGammaOptions, applyGamma, sampleGamma } from "./gamma.ts";
export type { Image } from "./image.ts";
export { type AddNoiseOptions, addNoise } from "./noise.ts";
export { createRng, type Rng } from "./rng.ts";
export { type Border, type WarpOptions, warp } from "./warp.ts";
